"""The worksheet on the card form, on the card's page, in the history, in an import, and the pages of the standard."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from households.domain.worksheet import IncomeLine
from households.models import Finding, Household, YearlyStandard
from households.models import IncomeLine as Row
from households.services.bulk_cards import Incoming, plan_cards, write_plan
from households.services.card_rows import load_card
from households.services.cards import save_card
from households.services.yearly_standards import load_default_standards, propose_standard
from tests.api import token_of
from tests.factories import id_number
from tests.households.cards import a_card, with_sheet
from tests.households.test_card_form import HEAD, NEW, filled_in, posted
from tests.personas import TAOYUAN, People

RICE = IncomeLine("crop", 400_000, "estimate", "水稻", Decimal("4.20"))
PIGS = IncomeLine("animal", 260_050, "paper", "生猪", Decimal(2))
WAGE = IncomeLine("wage", 1_500_000, "paper", "省外务工", member=1, months=5, monthly_fen=300_000)


@pytest.fixture
def cadre(people: People, as_user: Callable[..., Client]) -> Client:
    load_default_standards()
    return as_user(people.fengming_cadre)


@pytest.fixture
def saved(people: People) -> Household:
    return save_card(card=replace(a_card(), lines=(RICE, WAGE)), by=people.fengming_cadre)


def line_rows(*rows: dict[str, Any]) -> dict[str, str]:
    data = {"lines-TOTAL_FORMS": str(len(rows)), "lines-INITIAL_FORMS": "0"}
    return data | {f"lines-{at}-{name}": str(value) for at, row in enumerate(rows) for name, value in row.items()}


def untouched(page: Any) -> dict[str, Any]:
    """What a browser would post of a page that nobody touched, its worksheet included."""
    rows = [
        {name: value for name in form.fields if (value := form[name].value()) not in (None, "", False)}
        for form in page.context["worksheet"].formset
    ]
    return filled_in(page) | line_rows(*rows)


RICE_ROW = {"kind": "crop", "item": "水稻", "quantity": "4.2", "amount": "4,000", "known": "estimate"}
WAGE_ROW = {"kind": "wage", "member": "0", "item": "省外务工", "months": "5", "monthly": "3000", "known": "paper"}


# -- entering ------------------------------


def test_lines_are_saved_with_the_card_and_make_the_totals(cadre: Client) -> None:
    data = posted(HEAD | {"id_number": id_number("19700203", "男")}, business_income="1", pension="0")
    cadre.post(NEW, data | line_rows(RICE_ROW, {"kind": "seed"}, WAGE_ROW))
    sheet = Household.objects.get().sheets.get()
    assert (sheet.business_income, sheet.wage_income, sheet.pension) == (4000, 15000, 0)
    rice, wage = sheet.lines.all()
    assert (rice.kind, rice.item, rice.quantity, rice.amount, rice.known, rice.person) == (
        "crop", "水稻", Decimal("4.20"), 4000, "estimate", None,
    )  # fmt: skip
    assert (wage.person.name, wage.months, wage.monthly, wage.amount) == ("张建华", 5, 3000, 15000)


@pytest.mark.parametrize(
    ("row", "field", "text"),
    [
        (RICE_ROW | {"amount": "很多"}, "amount", "数字"),
        (RICE_ROW | {"amount": "-1"}, "amount", "不能为负"),
        (RICE_ROW | {"amount": "1000000000"}, "amount", "太大"),
        (RICE_ROW | {"amount": ""}, "amount", "请填写金额"),
        (RICE_ROW | {"quantity": "0"}, "quantity", "大于零"),
        (RICE_ROW | {"known": ""}, "known", "依据"),
        (WAGE_ROW | {"months": "13"}, "months", "12"),
        (WAGE_ROW | {"months": ""}, "months", "月数"),
        (WAGE_ROW | {"amount": "14000"}, "amount", "15000"),
        (WAGE_ROW | {"member": "7"}, "member", "不在本户"),
    ],
)
def test_a_wrong_line_is_told_at_its_place_and_nothing_is_written(
    cadre: Client, row: dict, field: str, text: str
) -> None:
    answer = cadre.post(NEW, posted(HEAD) | line_rows(row))
    errors = answer.context["worksheet"].formset.forms[0].errors
    assert answer.status_code == 422
    assert any(text in error for error in errors.get(field, [])), errors
    assert f'href="#id_lines-0-{field}"' in answer.content.decode()
    assert not Household.objects.exists()


def test_a_page_sent_back_untouched_writes_nothing(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    cadre.post(edit, untouched(cadre.get(edit)))
    saved.refresh_from_db()
    assert saved.version == 1


def test_a_part_with_lines_is_read_only(cadre: Client, saved: Household) -> None:
    page = cadre.get(f"/households/{saved.pk}/edit/").content.decode()
    control = next(tag for tag in re.findall(r"<input[^>]*>", page) if 'name="business_income"' in tag)
    assert "readonly" in control and 'value="4000"' in control
    assert "readonly" not in next(tag for tag in re.findall(r"<input[^>]*>", page) if 'name="pension"' in tag)


def test_a_page_sent_without_a_worksheet_keeps_the_lines(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    cadre.post(edit, filled_in(cadre.get(edit)) | {"pigs": "8"})
    sheet = saved.sheets.get()
    assert (sheet.pigs, sheet.lines.count(), sheet.lines.get(kind="wage").person.name) == (8, 2, "李秀英")


def test_rows_taken_off_give_the_figure_back_to_the_typist(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    data = untouched(cadre.get(edit)) | {"lines-0-DELETE": "on", "business_income": "4200"}
    cadre.post(edit, data)
    sheet = saved.sheets.get()
    assert (sheet.business_income, sheet.version, [line.kind for line in sheet.lines.all()]) == (4200, 2, ["wage"])


def test_another_year_asks_for_its_lines_anew(cadre: Client, saved: Household) -> None:
    page = cadre.get(f"/households/{saved.pk}/edit/?year=2020")
    assert len(page.context["worksheet"].formset.forms) == 0


def test_the_page_without_scripts_offers_blank_rows(cadre: Client) -> None:
    page = cadre.get(NEW + "?lines=2").content.decode()
    assert len(set(re.findall(r"name=\"lines-\d+-amount\"", page))) == 10


def test_the_card_proposes_lines_and_writes_nothing(cadre: Client, saved: Household) -> None:
    data = untouched(cadre.get(f"/households/{saved.pk}/edit/")) | {"members-1-work_place": "省外务工"}
    answer = cadre.post("/households/worksheet/propose/", data | {"members-0-work_months": "3", "irrigated_land": "3"})
    rows = [(form["kind"].value(), form["item"].value()) for form in answer.context["worksheet"].formset]
    assert rows == [
        ("crop", "水稻"), ("wage", "省外务工"), ("crop", "玉米"), ("animal", "生猪"), ("animal", "家禽"),
    ]  # fmt: skip
    assert "请填写金额" not in answer.content.decode()
    assert Row.objects.count() == 2


# -- two people ------------------------------


@pytest.fixture
def changed_meanwhile(cadre: Client, saved: Household, people: People) -> dict[str, Any]:
    """The cadre has the form open; the officer adds two pigs."""
    data = untouched(cadre.get(f"/households/{saved.pk}/edit/"))
    stored = load_card(saved, 2019)
    card = replace(stored.card, lines=(*stored.card.lines, PIGS))
    save_card(card=card, persons=stored.persons, by=people.reshi_officer, household=saved, expected_version=1)
    return data


def test_lines_of_different_parts_merge_without_a_question(
    cadre: Client, saved: Household, changed_meanwhile: dict[str, Any]
) -> None:
    answer = cadre.post(
        f"/households/{saved.pk}/edit/", changed_meanwhile | {"lines-1-monthly": "3200", "lines-1-amount": ""}
    )
    sheet = saved.sheets.get()
    assert (answer.status_code, sheet.wage_income, sheet.business_income) == (302, 16000, Decimal("6600.50"))


@pytest.mark.parametrize(("choice", "figure"), [("mine", Decimal("4500.00")), ("theirs", Decimal("6600.50"))])
def test_the_same_part_is_asked_with_its_lines_and_the_choice_decides(
    cadre: Client, saved: Household, changed_meanwhile: dict[str, Any], choice: str, figure: Decimal
) -> None:
    edit = f"/households/{saved.pk}/edit/"
    conflict = cadre.post(edit, changed_meanwhile | {"lines-0-amount": "4500"})
    (asked,) = conflict.context["forms"].choices
    assert conflict.status_code == 409
    assert asked.mine == "4500：种植 水稻 4.2 亩 4,500 元（估计）"
    assert asked.theirs == "6600.5：种植 水稻 4.2 亩 4,000 元（估计）；养殖 生猪 2 头（只） 2,600.50 元（有单据）"
    answer = cadre.post(edit, untouched(conflict) | {"choose-business_income": choice})
    sheet = saved.sheets.get()
    assert (answer.status_code, sheet.business_income, sheet.lines.get(kind="wage").person.name) == (
        302, figure, "李秀英",
    )  # fmt: skip


def test_a_stale_save_is_compared_with_the_lines_it_began_with(saved: Household, people: People) -> None:
    """Back and forth: the lines of version 1 are put together again from rows and history."""
    stored = load_card(saved, 2019)
    for lines in ((PIGS, WAGE), (RICE, PIGS, WAGE)):
        now = load_card(saved, 2019)
        card = replace(now.card, lines=lines)
        saved = save_card(
            card=card, persons=now.persons, by=people.reshi_officer, household=saved, expected_version=saved.version
        )
    mine = with_sheet(stored.card, cattle=3)
    save_card(card=mine, persons=stored.persons, by=people.fengming_cadre, household=saved, expected_version=1)
    sheet = saved.sheets.get()
    assert (sheet.cattle, sheet.business_income) == (3, Decimal("6600.50"))


# -- what is shown ------------------------------


def test_the_income_page_shows_lines_sums_ranges_and_marks(
    cadre: Client, saved: Household, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(32):
        page = cadre.get(f"/households/{saved.pk}/?tab=income")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))
    assert "种植 水稻 4.2 亩 估计 4,000 3,108–4,620 与标准相符" in text
    assert "李秀英 省外务工 5 个月 有单据 15,000 13,000–29,900 与标准相符" in text
    assert "生产经营性收入合计" in text and "常德" not in page.context["worksheet"].standard.place


def test_a_declared_total_far_from_what_the_card_lets_expect_is_marked(cadre: Client, people: People) -> None:
    card = a_card(sheet={"business_income": Decimal(50_000), "pigs": 0, "poultry": 0})
    household = save_card(card=card, by=people.fengming_cadre)
    page = cadre.get(f"/households/{household.pk}/?tab=income")
    ((label, declared, expectation),) = page.context["worksheet"].from_card
    assert (label, declared, expectation.distance) == ("生产经营性收入", 50_000, "far")
    assert "与标准相差较大" in page.content.decode()


def test_a_year_without_a_standard_says_so(people: People, as_user: Callable[..., Client], saved: Household) -> None:
    page = as_user(people.fengming_cadre).get(f"/households/{saved.pk}/?tab=income").content.decode()
    assert "还没有发布年度标准" in page and "水稻" in page


def test_the_history_tells_which_lines_came_and_went(cadre: Client, saved: Household) -> None:
    edit = f"/households/{saved.pk}/edit/"
    cadre.post(edit, untouched(cadre.get(edit)) | {"lines-0-amount": "4100"})
    page = cadre.get(f"/households/{saved.pk}/?tab=history")
    lines = [line for _act, _text, lines in page.context["acts"] for line in lines if line[1].endswith("明细")]
    assert lines == [
        ("", "生产经营性收入明细", "种植 水稻 4.2 亩 4,000 元（估计）", "空"),
        ("", "生产经营性收入明细", "空", "种植 水稻 4.2 亩 4,100 元（估计）"),
    ]


def test_the_api_tells_the_lines(client: Client, saved: Household, people: People) -> None:
    token = token_of(people.county_system)
    card = client.get(f"/api/v1/cards/{saved.pk}/", headers={"Authorization": f"Bearer {token}"}).json()
    assert [(line["part"], line["item"], line["amount"]) for line in card["sheet"]["lines"]] == [
        ("business_income", "水稻", "4000.00"),
        ("wage_income", "省外务工", "15000.00"),
    ]


# -- a workbook ------------------------------


def brought(card: Any) -> Any:
    """Bring the card as a workbook does: totals, no lines."""
    plan = plan_cards([Incoming(replace(card, lines=()))], judge=lambda card: [])
    with transaction.atomic():
        return write_plan(plan, by=None)


def test_a_brought_total_closes_the_lines_with_an_open_note(saved: Household) -> None:
    card = load_card(saved, 2019).card
    brought(with_sheet(card, business_income=Decimal(5000)))
    sheet = saved.sheets.get()
    assert (sheet.business_income, [line.kind for line in sheet.lines.all()]) == (5000, ["wage"])
    note = Finding.objects.open().get(code="lines-closed")
    assert note.facts["attributes"] == ["business_income"]
    assert Row.pgh_event_model.objects.get().amount == 4000


def test_the_same_totals_brought_again_change_nothing(saved: Household) -> None:
    written = brought(load_card(saved, 2019).card)
    assert (len(written.same), Row.objects.count()) == (1, 2)


# -- the database ------------------------------


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"kind": "loan"}, "income_line_kind"),
        ({"known": "hearsay"}, "income_line_known"),
        ({"amount": -1}, "income_line_amount_not_negative"),
        ({"quantity": 0}, "income_line_quantity_positive"),
        ({"months": 5}, "income_line_months"),
        ({"monthly": 5}, "income_line_months_times_monthly"),
    ],
)
def test_the_database_refuses_what_is_no_line(saved: Household, change: dict, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Row.objects.filter(kind="crop").update(**change)


def test_only_a_wage_names_a_person_and_its_product_holds(saved: Household) -> None:
    person = saved.memberships.first().person
    with pytest.raises(IntegrityError, match="income_line_person"), transaction.atomic():
        Row.objects.filter(kind="crop").update(person=person)
    with pytest.raises(IntegrityError, match="income_line_months_times_monthly"), transaction.atomic():
        Row.objects.filter(kind="wage").update(amount=1)
    assert Row.objects.filter(kind="wage").update(person=person, months=6, amount=18_000) == 1


def test_the_history_of_lines_is_sealed(saved: Household) -> None:
    Row.objects.filter(kind="crop").delete()
    with pytest.raises(IntegrityError, match="sealed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE households_incomelineevent SET amount = 1")


# -- pages of the standard ------------------------------


@pytest.fixture
def office(people: People, as_user: Callable[..., Client]) -> Client:
    load_default_standards()
    return as_user(people.taoyuan_office)


def drafted(office: Client) -> YearlyStandard:
    default = YearlyStandard.objects.get(division=None, year=2019)
    office.post("/standards/draft/", {"place": str(TAOYUAN), "year": "2020", "copied_from": str(default.pk)})
    return YearlyStandard.objects.get(state="draft")


def rates_of(page: Any) -> dict[str, Any]:
    data = {"rates-INITIAL_FORMS": "0", "rates-TOTAL_FORMS": str(len(page.context["formset"].forms))}
    for form in [page.context["settings"], *page.context["formset"]]:
        data |= {form[name].html_name: value for name in form.fields if (value := form[name].value()) not in (None, "")}
    return data


def test_an_office_drafts_from_the_default_edits_and_a_second_person_releases(
    office: Client, people: People, as_user: Callable[..., Client]
) -> None:
    draft = drafted(office)
    edit = f"/standards/{draft.pk}/edit/"
    data = rates_of(office.get(edit)) | {"rates-0-high": "1250", "rates-22-DELETE": "on"}
    assert office.post(edit, data).status_code == 302
    page = office.get(f"/standards/{draft.pk}/")
    changed = {each.item.item for each in page.context["differences"]}
    assert changed == {"水稻", "公益性岗位"}
    office.post(f"/standards/{draft.pk}/propose/")
    second = as_user(people.taoyuan_second)
    assert "核对并发布年度标准" in second.get("/").content.decode()
    assert "核对并发布年度标准" not in office.get("/").content.decode()
    read = second.get(f"/standards/{draft.pk}/").context["standard"].revision
    second.post(f"/standards/{draft.pk}/release/", {"revision": str(read)})
    draft.refresh_from_db()
    assert (draft.state, draft.rates.get(item="水稻").high, draft.rates.count()) == ("released", 1250, 22)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"rates-0-low": "2000"}, "不能低于左边的低值"),
        ({"rates-0-net_high": ""}, "成对填写"),
        ({"rates-0-net_high": "5000"}, "净值不能高于产值"),
        ({"rates-1-item": "水稻"}, "出现了两次"),
        ({"rates-0-low": "很多"}, "输入"),
        ({"days_low": "30"}, "不能少于最少"),
    ],
)
def test_a_wrong_rate_is_told_in_its_cell_and_nothing_is_written(office: Client, change: dict, text: str) -> None:
    draft = drafted(office)
    edit = f"/standards/{draft.pk}/edit/"
    answer = office.post(edit, rates_of(office.get(edit)) | change)
    assert answer.status_code == 422 and text in answer.content.decode()
    draft.refresh_from_db()
    assert draft.revision == 1


def test_a_draft_someone_else_changed_is_not_overwritten(office: Client) -> None:
    draft = drafted(office)
    edit = f"/standards/{draft.pk}/edit/"
    data = rates_of(office.get(edit))
    office.post(edit, data)
    assert office.post(edit, data).status_code == 409


def test_a_released_standard_opens_no_form(office: Client, people: People) -> None:
    draft = drafted(office)
    propose_standard(standard=draft, by=people.taoyuan_second)
    office.post(f"/standards/{draft.pk}/release/", {"revision": "1"})
    assert office.get(f"/standards/{draft.pk}/edit/").url == f"/standards/{draft.pk}/"


def test_the_list_costs_few_queries(office: Client, django_assert_max_num_queries: Any) -> None:
    drafted(office)
    with django_assert_max_num_queries(14):
        assert office.get("/standards/").status_code == 200
