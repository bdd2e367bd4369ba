"""Registers in the database: versions, what is sealed, whose leads come out, withdrawn and forgotten."""

import io
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.accounts.roles import Role
from changde.accounts.services import create_user, open_post
from changde.audit.models import Event
from changde.crypto.cipher import blind_index
from changde.divisions.models import Division
from households.lead_messages import sentence
from households.models import Finding, RegisterEntry, RegisterKeeper, RegisterVersion
from households.services import register_comparison, registers
from tests.conftest import ROOT
from tests.factories import make_household
from tests.households.registers import AS_OF, bring, cars, take, text_table
from tests.personas import CITY, FENGMING, RESHI, TAOYUAN, WULING, WULING_VILLAGE

pytestmark = pytest.mark.django_db
SAMPLE = ROOT / "households/reference/sample_cards.xlsx"
TABLES = ROOT / "households/reference/sample_registers"
PLANTED = json.loads((ROOT / "tests/data/sample_cards.planted.json").read_text(encoding="utf-8"))
FILES = {
    "vehicle": "车辆登记",
    "real_estate": "不动产登记",
    "public_payroll": "财政供养人员",
    "company": "市场主体登记",
    "death": "死亡人口",
    "medical": "医保结算",
    "school": "学籍",
}


def number_of(household) -> str:
    return household.memberships.first().person.id_number


def leads(**wanted):
    return list(Finding.objects.of_leads().open().filter(**wanted).values_list("household_id", "kind", "code"))


def command(kind: str, file: Path, *arguments: str) -> dict:
    out = io.StringIO()
    call_command("import_register", kind, str(file), "--json", *arguments, stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


@pytest.fixture
def fengming():
    return make_household(FENGMING)


@pytest.fixture
def department():
    """A person of Taoyuan county's vehicle office, asked for the vehicle register."""
    user = create_user(username="chegui", name="桃源县车管所", password=None, by=None)
    open_post(user=user, role=Role.DEPARTMENT, division=Division.objects.get(pk=TAOYUAN), by=None)
    RegisterKeeper.objects.create(user=user, kind="vehicle")
    return user


# -- the sample: what was planted comes out, and nothing else ------------------------------


def test_the_departments_tables_find_in_the_sample_exactly_what_was_planted():
    call_command("import_cards", str(SAMPLE), "--initial", stdout=io.StringIO())
    told = {kind: command(kind, TABLES / f"{name}.xlsx", "--as-of", "2019-10-31") for kind, name in FILES.items()}
    assert {kind: (each["rows"], each["accepted"], each["refused"]) for kind, each in told.items()} == {
        "vehicle": (2, 2, []), "real_estate": (1, 1, []), "public_payroll": (1, 1, []), "company": (1, 1, []),
        "death": (0, 0, []), "medical": (4, 4, []), "school": (50, 50, []),
    }  # fmt: skip
    found = {
        (lead.household.number, lead.code): lead for lead in Finding.objects.of_leads().select_related("household")
    }
    expected = {
        "hidden_car": "private_car",
        "hidden_flat": "commercial_flat",
        "company": "company",
        "payroll": "on_payroll",
    }
    refused = set(PLANTED["dirt"]["refused_households"])
    planted = {
        (number, expected[plant])
        for number, plants in PLANTED["planted"].items()
        for plant in plants
        if plant in expected and number not in refused
    }
    assert set(found) == planted and len(planted) == 4
    assert sum(each["findings_opened"] for each in told.values()) == 4
    car = found["43072510320400006", "private_car"]
    assert (car.owner_id, car.person is not None, car.blocks, car.score) == (RESHI, True, True, 0.9)
    assert sentence(car.code, car.facts["parameters"]) == (
        "车管所 2019-10-31 的登记：名下有 1 辆小型轿车，购置价 10.1 万元；户卡没有填生活用汽车。"
    )


# -- the command ------------------------------


def test_the_same_file_again_is_recognised_and_changes_nothing(fengming, tmp_path):
    file = tmp_path / "cars.xlsx"
    file.write_bytes(cars(number_of(fengming), "17").getvalue())
    first = command("vehicle", file, "--as-of", "2019-10-31", "--returned", str(tmp_path / "back.xlsx"))
    again = command("vehicle", file, "--as-of", "2019-10-31")
    assert (first["accepted"], first["matched_persons"], first["findings_opened"]) == (1, 1, 1)
    assert [(each["row"], each["column"]) for each in first["refused"]] == [(3, "证件号码")]
    assert (again["already_imported"], again["version"], again["findings_opened"]) == (True, first["version"], 0)
    assert again["refused"] == first["refused"] and (tmp_path / "back.xlsx").exists()
    assert RegisterVersion.objects.count() == 1 and len(leads()) == 1


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, [], "xlsx"),
        (None, ["--as-of", "2999-01-01"], "不能晚于今天"),
        (None, ["--area", str(RESHI)], "全市"),
        (None, ["--area", "1"], "没有这个地区"),
        (None, ["--by", "nobody"], "nobody"),
    ],
)
def test_a_wrong_order_is_refused_in_words_and_nothing_is_written(content, arguments, said, tmp_path):
    file = tmp_path / "cars.xlsx"
    file.write_bytes(content or cars("430725194309046431").getvalue())
    with pytest.raises(CommandError, match=said) as refused:
        command("vehicle", file, *arguments)
    assert refused.value.returncode == 2
    assert (RegisterVersion.objects.count(), RegisterEntry.objects.count()) == (0, 0)


# -- versions ------------------------------


def test_a_checked_version_foresees_its_leads_and_counts_only_when_taken(fengming):
    version = bring(cars(number_of(fengming)))
    assert (version.state, version.matched, version.foreseen) == ("checked", 1, {"private_car": 1})
    register_comparison.compare(area=CITY, by=None)
    assert leads() == []
    registers.accept(version=version, by=None, in_background=False)
    assert registers.compare_version(version=version, by=None).opened == 1


def test_a_later_table_of_the_same_source_replaces_the_one_before_whatever_comes_first(fengming):
    other = make_household(FENGMING, head="李大明")
    newer = take(cars(number_of(other)), as_of=AS_OF)
    take(cars(number_of(fengming)), as_of=AS_OF - timedelta(days=30))
    assert [household for household, _kind, _code in leads()] == [other.pk]
    assert list(RegisterVersion.objects.in_force()) == [newer]
    take(cars(number_of(fengming), price=50000), source="交警支队")
    assert {household for household, _kind, _code in leads()} == {fengming.pk, other.pk}


def test_withdrawing_closes_its_leads_and_puts_the_version_before_in_force_again(fengming, people):
    other = make_household(FENGMING, head="李大明")
    take(cars(number_of(fengming)), as_of=AS_OF - timedelta(days=30))
    newer = take(cars(number_of(other)))
    registers.withdraw(version=newer, by=people.city_office)
    registers.compare_version(version=newer, by=None)
    assert [household for household, _kind, _code in leads()] == [fengming.pk]
    with pytest.raises(Refusal, match="已经撤回"):
        registers.withdraw(version=newer, by=people.city_office)
    assert take(cars(number_of(other))).opened == 1  # the same file may come again


def test_a_decided_lead_does_not_come_again_with_the_next_table_that_says_the_same(fengming, people):
    take(cars(number_of(fengming)))
    Finding.objects.of_leads().update(decision="dismissed", decided_at=timezone.now(), decided_by=people.reshi_officer)
    take(cars(number_of(fengming), "430725194309046431"), as_of=AS_OF + timedelta(days=30))
    assert leads() == []
    take(cars(number_of(fengming), number_of(fengming)), as_of=AS_OF + timedelta(days=60))
    assert len(leads()) == 1  # a second car


def test_the_card_is_read_as_of_its_latest_sheet_and_a_closed_card_or_one_who_left_is_nobody(fengming):
    sheet = fengming.sheets.get()
    sheet.owns_car = True
    sheet.save()
    take(cars(number_of(fengming)))
    assert leads() == []
    sheet.owns_car = False
    sheet.save()
    assert register_comparison.compare(area=FENGMING, by=None).opened == 1
    fengming.claims.all().delete()
    assert register_comparison.compare(area=FENGMING, by=None).closed == 1


def test_an_old_number_of_fifteen_digits_finds_its_person():
    household = make_household(FENGMING)
    number = number_of(household)
    take(cars(number[:6] + number[8:17]))
    assert len(leads()) == 1


# -- areas ------------------------------


def test_a_countys_register_speaks_of_its_own_cards_and_neither_county_sees_the_others(people):
    ours, theirs = make_household(FENGMING), make_household(WULING_VILLAGE)
    file = cars(number_of(ours), number_of(theirs))
    version = take(file, area=TAOYUAN)
    assert leads() == [(ours.pk, "vehicle", "private_car")]
    assert version.matched == 1
    for model in (RegisterVersion, RegisterEntry):
        assert model.objects.visible_to(people.wuling_office).count() == 0
        assert model.objects.visible_to(people.reshi_officer).count() == 0
        assert model.objects.visible_to(people.taoyuan_office).exists()
        assert model.objects.visible_to(people.city_office).exists()
    assert Finding.objects.visible_to(people.wuling_office).count() == 0
    take(file, area=CITY)
    assert {household for household, _kind, _code in leads()} == {ours.pk, theirs.pk}
    assert RegisterVersion.objects.visible_to(people.taoyuan_office).count() == 1


def test_a_department_brings_what_it_was_asked_for_and_reads_no_entry(department, people):
    file = cars("430725194309046431")
    version = bring(file, by=department, area=TAOYUAN)
    assert list(RegisterVersion.objects.visible_to(department)) == [version]
    assert RegisterEntry.objects.visible_to(department).count() == 0
    assert not department.can("read_cards")
    with pytest.raises(Refusal, match="没有报送"):
        bring(text_table(["证件号码", "死亡日期"]), "death", by=department, area=TAOYUAN)
    with pytest.raises(Refusal, match="工作范围"):
        bring(cars("43072519430904643X"), by=department, area=WULING)
    with pytest.raises(Refusal, match="工作范围"):
        registers.set_kinds(user=department, kinds=["death"], by=people.wuling_office)
    registers.set_kinds(user=department, kinds=["death"], by=people.taoyuan_office)
    assert registers.kinds_for(department) == {"death"}


# -- what is kept, and how ------------------------------


def test_a_dump_of_the_registers_holds_no_number_plate_or_place(fengming):
    number = number_of(fengming)
    take(
        text_table(
            ["证件号码", "车牌号", "车型"], [number, "湘J48905", "小型轿车"], [number + "9", "湘J48906", "小型轿车"]
        )
    )
    take(text_table(["证件号码", "坐落", "用途"], [number, "武陵区某路", "商品住宅"]), "real_estate", source="登记中心")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e::text FROM households_registerentry e UNION ALL SELECT v::text FROM households_registerversion v "
            "UNION ALL SELECT p::text FROM households_registerproblem p "
            "UNION ALL SELECT f::text FROM households_finding f "
            "UNION ALL SELECT a::text FROM audit_event a"
        )
        dump = " ".join(row[0] for row in cursor.fetchall())
    # With the letter: five digits alone stand in a long hexadecimal text by chance.
    assert all(secret not in dump for secret in (number, number[:17], "J48905", "J48906", "某路"))
    assert blind_index(number, kind="id").hex() in dump
    entry = RegisterEntry.objects.first()
    assert entry.masked_number == number[:4] + "**********" + number[-4:]
    assert entry.details == {"plate": "湘J48905"}


def test_an_entry_is_never_changed_and_rows_are_what_was_accepted_and_refused(fengming):
    version = take(cars(number_of(fengming)))
    with pytest.raises(DatabaseError), transaction.atomic():
        RegisterEntry.objects.update(facts={})
    with pytest.raises(DatabaseError), transaction.atomic():
        RegisterVersion.objects.filter(pk=version.pk).update(refused=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        RegisterVersion.objects.filter(pk=version.pk).update(source="车管所430725194309046431")


def test_entries_of_replaced_and_withdrawn_versions_are_forgotten_by_policy_and_the_log_says_so(fengming, people):
    old = take(cars(number_of(fengming)), as_of=AS_OF - timedelta(days=30))
    newer = take(cars(number_of(fengming), price=1))
    assert registers.forget_old()["versions"] == 0
    RegisterVersion.objects.update(confirmed_at=timezone.now() - registers.KEEP_REPLACED - timedelta(days=1))
    assert registers.forget_old() == {"files": 0, "versions": 1, "entries": 1}
    registers.withdraw(version=newer, by=people.city_office)
    RegisterVersion.objects.filter(pk=newer.pk).update(withdrawn_at=timezone.now() - timedelta(days=31))
    assert registers.forget_old()["entries"] == 1
    assert not RegisterEntry.objects.exists() and RegisterVersion.objects.count() == 2
    assert not RegisterVersion.objects.in_force().exists()  # what is forgotten does not come into force again
    assert Event.objects.filter(verb="registers.forget", target_id=str(old.pk)).exists()


def test_a_check_that_breaks_off_leaves_nothing_and_begins_anew(fengming):
    version = bring(cars(number_of(fengming)))
    RegisterVersion.objects.filter(pk=version.pk).update(state="waiting")
    registers.note_check_broke_off(version, cancelled=True)
    version.refresh_from_db()
    assert (version.state, version.entries.count()) == ("cancelled", 0)
    assert bring(cars(number_of(fengming))).state == "checked"


def test_every_step_is_in_the_log(fengming):
    take(cars(number_of(fengming)))
    verbs = set(Event.objects.values_list("verb", flat=True))
    assert {"registers.bring", "registers.check", "registers.accept", "registers.compare", "leads.keep"} <= verbs


def test_a_dead_member_who_is_still_counted_is_a_lead_of_his_own(fengming):
    take(text_table(["证件号码", "死亡日期"], [number_of(fengming), date(2019, 5, 21)]), "death", source="公安局")
    ((household, kind, code),) = leads()
    assert (household, kind, code) == (fengming.pk, "deceased", "deceased_counted")
