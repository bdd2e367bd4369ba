"""Workbooks of cards brought in: counts, repetition, area rights, races, and what an empty cell does."""

import io
import json
import threading
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from changde.audit.models import Event
from households.domain.card import Card, Member
from households.domain.card_workbook import open_cards
from households.models import (
    Finding,
    Household,
    IdentityClaim,
    ImportBatch,
    ImportProblem,
    MemberSheet,
    Membership,
    Person,
    Sheet,
    WaitingHousehold,
)
from households.services import bulk_cards, imports
from households.services.cards import save_card
from tests.factories import id_number
from tests.households import hostile
from tests.households.card_workbooks import workbook_of
from tests.households.cards import a_card, a_member, a_wife, with_member
from tests.personas import FENGMING, OTHER_VILLAGE, WULING_VILLAGE

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "households/reference/sample_cards.xlsx"
PLANTED = json.loads((ROOT / "tests/data/sample_cards.planted.json").read_text(encoding="utf-8"))
TABLES = (Household, Person, Membership, Sheet, MemberSheet, IdentityClaim, Finding, WaitingHousehold)


def run_command(*arguments: str) -> dict:
    out = io.StringIO()
    call_command("import_cards", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def bring(file: io.BytesIO, by=None, initial=False, chunk_size=500) -> tuple[ImportBatch, imports.Outcome]:
    """Write a workbook in the name of a person (or the system)."""
    content = file.getvalue()
    batch = imports.open_batch(by=by, file_name="cards.xlsx", content=content, initial=initial)
    with open_cards(io.BytesIO(content)) as book:
        outcome = imports.take_in(book=book, batch=batch, by=by, chunk_size=chunk_size)
        outcome.told = list(imports.told_of(book, batch))
    batch.refresh_from_db()
    return batch, outcome


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in TABLES}


COUPLE = a_card()


def family(number: str | None = "43072510320290001", sheet: dict | None = None, **household: object) -> Card:
    """The same couple each time, with what a test changes."""
    return replace(
        COUPLE,
        household=replace(COUPLE.household, number=number, **household),
        sheet=replace(COUPLE.sheet, **(sheet or {})),
    )


def with_members(card: Card, *members: Member) -> Card:
    return replace(card, members=members)


# -- the sample --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sample(db):
    return run_command(str(SAMPLE), "--initial")


def test_the_sample_gives_108_households_11_refused_and_one_waiting(sample):
    assert sample["read"] == {"households": 120, "members": 381}
    assert sample["accepted"] == Household.objects.count() == Sheet.objects.count() == 108
    assert sorted({row["household"] for row in sample["refused"]}) == PLANTED["dirt"]["refused_households"]
    assert [row["household"] for row in sample["waiting"]] == [PLANTED["same_number_on_two_cards"][1]]
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.households, batch.accepted, batch.refused, batch.waiting) == ("done", 120, 108, 11, 1)


def test_every_refused_row_names_sheet_row_column_and_reason_in_chinese(sample):
    assert all(row["sheet"] in {"户信息", "人信息"} and row["row"] > 3 and row["column"] for row in sample["refused"])
    assert all(row["reason"] and not row["reason"].isascii() for row in sample["refused"])


def test_the_result_holds_nothing_personal(sample):
    text = json.dumps(sample, ensure_ascii=False)
    names = set(Person.objects.values_list("name", flat=True))
    assert not [name for name in names if name in text]
    assert set(sample) == {"read", "accepted", "refused", "waiting"}


def test_the_first_with_a_shared_number_is_in_and_flagged_and_the_second_waits_without_a_hint(sample):
    first, second = PLANTED["same_number_on_two_cards"]
    finding = Finding.objects.get(kind=Finding.Kind.DUPLICATE_NUMBER)
    assert (finding.household.number, finding.blocks) == (first, True)
    waiting = WaitingHousehold.objects.get()
    assert (waiting.household, waiting.first.number) == (second, first)
    assert not Household.objects.filter(number=second).exists()
    assert sample["waiting"] == [{"household": second, "reason": "等待重号核查"}]


def test_a_waiting_card_is_kept_encrypted(sample):
    waiting = WaitingHousehold.objects.get()
    card = json.loads(waiting.card_text)
    assert card["household"]["number"] == waiting.household
    assert card["members"][0]["name"].encode() not in bytes(waiting.card_cipher)


def test_what_is_read_is_what_was_written(sample):
    household = Household.objects.get(number="43072510320200005")
    head = household.memberships.get(relation="户主").person
    assert (head.name, household.head_name, household.village_id) == ("郭超德", "郭超德", FENGMING)
    assert head.id_number[6:14] == f"{head.birth_date:%Y%m%d}"
    sheet = household.sheets.get()
    assert sheet.net_income == sum(
        getattr(sheet, name) for name in ("wage_income", "business_income", "property_income", "transfer_income")
    ) - sheet.production_expenses  # fmt: skip
    assert sheet.members_counted == household.persons == household.memberships.count()


def test_the_first_load_sets_the_status_from_attribute_and_flag(sample):
    refused = set(PLANTED["dirt"]["refused_households"])
    with open_cards(SAMPLE) as book:
        cards = [book.read(group).card for group in book.groups]
    registered = {
        card.household.number
        for card in cards
        if card.sheet.exit_flag == "未脱贫" and card.household.number not in refused
    }
    stored = set(Household.objects.filter(status="registered").values_list("number", flat=True))
    assert stored == registered - {PLANTED["same_number_on_two_cards"][1]}


def test_bringing_the_sample_again_doubles_nothing_and_changes_nothing(sample):
    before = counts()
    again = run_command(str(SAMPLE), "--initial")
    assert again == sample
    assert counts() == before
    batch = ImportBatch.objects.first()
    assert (batch.created, batch.changed, batch.same) == (0, 0, 108)
    assert set(Household.objects.values_list("version", flat=True)) == {1}


def test_a_dry_run_foresees_the_same_and_writes_nothing(db):
    before = counts()
    foreseen = run_command(str(SAMPLE), "--dry-run")
    assert counts() == before
    assert (ImportBatch.objects.count(), Event.objects.count()) == (0, 0)
    assert foreseen == run_command(str(SAMPLE))
    assert run_command(str(SAMPLE), "--dry-run") == foreseen


def test_refused_and_waiting_rows_come_back_in_a_workbook_that_can_be_brought_again(sample, tmp_path):
    returned = tmp_path / "returned.xlsx"
    before = counts()
    run_command(str(SAMPLE), "--returned", str(returned))
    sheet = openpyxl.load_workbook(returned)["户信息"]
    assert sheet.max_row == 1 + 12
    assert sheet.cell(1, sheet.max_column).value == "退回原因"
    again = run_command(str(returned))
    assert (again["read"]["households"], again["accepted"], len(again["waiting"])) == (12, 0, 1)
    assert counts() == before


def test_without_initial_the_status_stays_and_a_difference_is_a_finding(db):
    run_command(str(SAMPLE))
    assert set(Household.objects.values_list("status", flat=True)) == {"unregistered"}
    assert Finding.objects.filter(kind=Finding.Kind.STATUS_DIFFERS).count() >= 30


def test_numbers_of_people_are_in_no_column_of_the_import(sample):
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM households_importproblem t")
        problems = " ".join(row for (row,) in cursor.fetchall())
        cursor.execute("SELECT facts::text FROM audit_event")
        facts = " ".join(row for (row,) in cursor.fetchall())
    numbers = [person.id_number for person in Person.objects.all()[:50]]
    assert not [number for number in numbers if number in problems or number in facts]


# -- hostile and wrong files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [hostile.corner_cells, hostile.entities, lambda: io.BytesIO(b"PK\x03\x04junk"), lambda: io.BytesIO(b"a,b")]
)
def test_a_wrong_file_ends_with_2_and_clear_words_and_writes_nothing(db, tmp_path, make):
    path = tmp_path / "cards.xlsx"
    path.write_bytes(make().getvalue())
    with pytest.raises(CommandError) as error:
        run_command(str(path))
    assert error.value.returncode == 2
    assert "工作" in str(error.value)
    assert ImportBatch.objects.count() == 0


def test_a_file_that_is_not_there_ends_with_2(db, tmp_path):
    with pytest.raises(CommandError) as error:
        run_command(str(tmp_path / "absent.xlsx"))
    assert error.value.returncode == 2


# -- known households --------------------------------------------------------------------------------------------------


def test_a_changed_value_changes_the_card_and_raises_its_version(db):
    bring(workbook_of(family()))
    household = Household.objects.get()
    _batch, outcome = bring(workbook_of(family(sheet={"wage_income": Decimal("5000.00"), "dibao": Decimal(0)})))
    household.refresh_from_db()
    assert (outcome.changed, household.version) == (1, 2)
    assert household.sheets.get().wage_income == Decimal("5000.00")


def test_an_empty_cell_and_a_missing_column_erase_nothing(db):
    bring(workbook_of(family()))
    sheet = Sheet.objects.get()
    emptied = family(sheet={"main_fuel": None, "house_area": None})
    _batch, outcome = bring(workbook_of(emptied, without=("牛存栏", "政治面貌", "民族")))
    assert outcome.same == 1
    sheet.refresh_from_db()
    assert (sheet.main_fuel, sheet.house_area, sheet.cattle) == ("清洁能源", Decimal(90), 0)


def test_a_member_the_workbook_leaves_out_leaves_the_card_with_an_open_note(db):
    bring(workbook_of(family()))
    wife = Person.objects.get(name="李秀英")
    alone = family()
    _batch, outcome = bring(workbook_of(replace(alone, members=alone.members[:1])))
    assert outcome.changed == 1
    assert Membership.objects.get(person=wife).until is not None
    assert Finding.objects.get(code="member-vanished").person == wife


def test_a_household_is_found_by_its_heads_number_where_the_workbook_has_no_household_number(db):
    bring(workbook_of(family()))
    _batch, outcome = bring(workbook_of(family(number=None)))
    assert (outcome.same, Household.objects.count()) == (1, 1)


def test_a_household_typed_in_without_number_gets_the_workbooks(db):
    save_card(card=family(number=None), by=None)
    _batch, outcome = bring(workbook_of(family()))
    assert (outcome.changed, Household.objects.get().number) == (1, "43072510320290001")


def test_another_years_workbook_adds_that_years_sheet(db):
    bring(workbook_of(family()))
    _batch, outcome = bring(workbook_of(family(sheet={"year": 2020})))
    assert outcome.changed == 1
    assert list(Sheet.objects.order_by("year").values_list("year", flat=True)) == [2019, 2020]


def test_an_earlier_years_workbook_writes_that_year_and_never_the_present(db):
    bring(workbook_of(family()))
    earlier = with_member(family(sheet={"year": 2018}, address="旧址"), 0, education="小学")
    _batch, outcome = bring(workbook_of(earlier))
    household = Household.objects.get()
    assert (outcome.changed, household.address == "旧址") == (1, False)
    assert household.sheets.get(year=2018).members.get(position=0).education == "小学"
    assert household.sheets.get(year=2019).members.get(position=0).education == "初中"
    assert bring(workbook_of(earlier))[1].same == 1


def test_a_known_card_is_checked_again_with_what_it_already_holds(db):
    """The stored area of cultivated land makes the brought irrigated area impossible."""
    bring(workbook_of(family(sheet={"cultivated_land": Decimal(4)})))
    more = family(sheet={"cultivated_land": None, "irrigated_land": Decimal(9)})
    _batch, outcome = bring(workbook_of(more))
    assert [told.problem.check_id for told in outcome.told] == ["irrigated"]


def test_a_household_of_another_village_is_not_moved_by_a_workbook(db):
    bring(workbook_of(family()))
    _batch, outcome = bring(workbook_of(family(village_code=OTHER_VILLAGE)))
    assert [told.problem.check_id for told in outcome.told] == ["village-changed"]


def test_a_household_without_any_key_waits_once_however_often_it_is_brought(db):
    nameless = with_members(family(number=None), a_member(id_number=None, no_id_reason="未办理"))
    for _time in range(2):
        _batch, outcome = bring(workbook_of(nameless))
        assert [(told.outcome, told.problem.check_id) for told in outcome.told] == [
            ("waiting", "household-no-key"),
            ("refused", "household-row-missing"),
        ]
    assert (WaitingHousehold.objects.count(), Household.objects.count()) == (1, 0)


# -- area rights -------------------------------------------------------------------------------------------------------


def test_a_cadre_brings_only_the_own_village(people):
    other = with_members(family("43072510320490001", village_code=OTHER_VILLAGE), a_member("王强", birth="19660101"))
    batch, outcome = bring(workbook_of(family(), other), by=people.fengming_cadre)
    assert (outcome.created, outcome.refused) == (1, 1)
    assert [(told.household, told.problem.check_id) for told in outcome.told] == [("43072510320490001", "area-outside")]
    assert Household.objects.get().village_id == FENGMING
    assert batch.area == FENGMING
    assert ImportProblem.objects.visible_to(people.other_cadre).count() == 0
    assert ImportProblem.objects.visible_to(people.reshi_officer).count() == 1


def test_a_county_office_may_change_cards_by_workbook_though_not_by_form(people):
    bring(workbook_of(family()))
    card = family(sheet={"wage_income": Decimal(100)})
    assert bring(workbook_of(card), by=people.taoyuan_office)[1].changed == 1


def test_a_household_number_of_another_county_is_refused_without_a_hint(people):
    bring(workbook_of(family()))
    wuling = with_members(family(village_code=WULING_VILLAGE), a_member("王强", birth="19660101"))
    _batch, outcome = bring(workbook_of(wuling), by=people.wuling_office)
    (told,) = outcome.told
    assert (told.outcome, told.problem.check_id) == ("refused", "number-elsewhere")
    assert "凤鸣" not in told.reason


def test_a_head_known_elsewhere_waits_and_is_not_taken_over(people):
    bring(workbook_of(family()))
    stranger = family(number=None, village_code=WULING_VILLAGE)
    _batch, outcome = bring(workbook_of(stranger), by=people.wuling_office)
    assert (outcome.waiting, Household.objects.get().village_id) == (1, FENGMING)


# -- breaking off, racing ----------------------------------------------------------------------------------------------


def many(count: int) -> io.BytesIO:
    return workbook_of(
        *(
            with_members(
                family(f"4307251032029{serial:04d}"),
                a_member(f"张{'一二三四五六七八九十'[serial % 10]}", birth=f"19{50 + serial}0101"),
            )
            for serial in range(count)
        )
    )


def test_an_import_that_broke_off_goes_on_where_it_stood(db):
    content = many(9).getvalue()
    batch = imports.open_batch(by=None, file_name="cards.xlsx", content=content, initial=False)

    def break_off(done: int, total: int) -> None:
        if done == 6:
            raise ConnectionError

    with open_cards(io.BytesIO(content)) as book, pytest.raises(ConnectionError):
        imports.take_in(book=book, batch=batch, by=None, progress=break_off, chunk_size=3)
    batch.refresh_from_db()
    assert (batch.position, batch.created, Household.objects.count()) == (6, 6, 6)
    with open_cards(io.BytesIO(content)) as book:
        imports.take_in(book=book, batch=batch, by=None, chunk_size=3)
    batch.refresh_from_db()
    assert (batch.state, batch.created, batch.same, Household.objects.count()) == ("done", 9, 0, 9)


def test_a_chunk_that_fails_leaves_nothing_of_itself(db, monkeypatch):
    content = many(4).getvalue()
    batch = imports.open_batch(by=None, file_name="cards.xlsx", content=content, initial=False)
    before = counts()
    monkeypatch.setattr(imports, "_keep_told", lambda *_: 1 / 0)
    with open_cards(io.BytesIO(content)) as book, pytest.raises(ZeroDivisionError):
        imports.take_in(book=book, batch=batch, by=None)
    assert counts() == before


def test_the_event_and_the_cards_share_a_transaction(db, monkeypatch):
    monkeypatch.setattr(bulk_cards, "record", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring(many(2))
    assert Household.objects.count() == 0


def race(first: io.BytesIO, second: io.BytesIO) -> list[imports.Outcome]:
    """Two imports at once: both plan before either has written."""
    planned = threading.Barrier(2, timeout=20)
    real_plan, outcomes = imports.plan_cards, []

    def plan_and_meet(*args, **kwargs):
        plan = real_plan(*args, **kwargs)
        with suppress(threading.BrokenBarrierError):
            planned.wait()
        planned.abort()
        return plan

    def one(file: io.BytesIO) -> None:
        try:
            outcomes.append(bring(file)[1])
        finally:
            connections.close_all()

    patch = pytest.MonkeyPatch()
    patch.setattr(imports, "plan_cards", plan_and_meet)
    threads = [threading.Thread(target=one, args=(file,)) for file in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    patch.undo()
    return outcomes


def two_cards_with_one_number() -> tuple[io.BytesIO, io.BytesIO]:
    shared = id_number("19690909", "女", serial=7)
    cards = [
        with_members(
            family(f"4307251032029000{serial}"),
            a_member(f"张{name}", birth=f"19{serial}00101"),
            a_wife(id_number=shared, birth_date=None),
        )
        for serial, name in ((5, "一"), (6, "二"))
    ]
    return workbook_of(cards[0]), workbook_of(cards[1])


def test_of_two_imports_at_once_with_one_number_exactly_one_goes_in_and_the_other_waits(committed_db):
    outcomes = race(*two_cards_with_one_number())
    assert sorted((outcome.created, outcome.waiting) for outcome in outcomes) == [(0, 1), (1, 0)]
    assert Person.objects.filter(name="李秀英").count() == 1
    assert Finding.objects.filter(kind=Finding.Kind.DUPLICATE_NUMBER).count() == 1


def test_without_the_claims_the_same_race_lets_both_in(committed_db, monkeypatch):
    """The negative control: what the claims table is for."""
    monkeypatch.setattr(bulk_cards, "_claim", lambda fresh, waits: list(fresh))
    outcomes = race(*two_cards_with_one_number())
    assert [(outcome.created, outcome.waiting) for outcome in outcomes] == [(1, 0), (1, 0)]
    assert Person.objects.filter(name="李秀英").count() == 2


def test_two_imports_of_the_same_new_household_at_once_make_one(committed_db):
    content = workbook_of(family()).getvalue()
    outcomes = race(io.BytesIO(content), io.BytesIO(content))
    assert Household.objects.count() == 1
    assert sorted((outcome.created, outcome.same + outcome.waiting) for outcome in outcomes) == [(0, 1), (1, 0)]


def test_writing_costs_the_same_number_of_queries_for_2_and_for_20_households(db, django_assert_max_num_queries):
    rules = imports.Rules(None)
    for count in (2, 20):
        with open_cards(many(count)) as book, transaction.atomic(), django_assert_max_num_queries(45):
            incoming = [bulk_cards.Incoming(book.read(group).card, index) for index, group in enumerate(book.groups)]
            bulk_cards.write_plan(bulk_cards.plan_cards(incoming, judge=rules.judge), by=None)
            transaction.set_rollback(True)


def test_an_import_may_gather_statistics_where_the_tables_outgrew_them_and_only_there(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT keep_card_statistics(%s)", [10**9])
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT keep_card_statistics(%s)", [0])
        assert cursor.fetchone() == (False,)
