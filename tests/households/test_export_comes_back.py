"""An export in the national layout imported again: unchanged it changes nothing, and a mask never becomes a number."""

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.test import Client

from changde.jobs.models import Job
from changde.jobs.services import run_job
from households import tasks  # noqa: F401 - registers the handlers
from households.domain.card_workbook import open_cards
from households.models import CardExport, Household, Person
from households.services import imports
from households.services.card_rows import load_card
from households.services.cards import save_card
from tests.households.cards import a_card, a_member
from tests.personas import People


@pytest.fixture
def village(people: People) -> list[Household]:
    """Three households of Fengming: a couple, a family with an account, a helper and a child, and a man alone."""
    son = a_member("张小明", birth="20080601", relation="之子", phone="13973600002", labour="无劳动力")
    cards = [
        a_card(number="43072510320200001"),
        a_card(
            a_member("王建国", birth="19650203"), a_member("陈玉兰", "女", "19660808", relation="配偶"), son,
            number="43072510320200002", bank="农商行", bank_account="6222020200112233445", helper_name="陈干部",
            helper_phone="13907360001",
        ),
        a_card(a_member("赵老三", birth="19500101", phone="0736-7221234"), number="43072510320200003"),
    ]  # fmt: skip
    return [save_card(card=card, by=people.fengming_cadre) for card in cards]


@pytest.fixture
def book(village: list[Household], people: People, as_user: Callable[..., Client]) -> Any:
    """The village's cards as the export writes them."""
    client = as_user(people.fengming_cadre)
    answer = client.post("/exports/new/", {"reason": "第三季度入户核查", "format": "card"})
    assert answer.status_code == 302, answer.content.decode()
    run_job(Job.objects.get(kind="export_cards").pk)
    return openpyxl.load_workbook(io.BytesIO(CardExport.objects.get().content or b""))


def outcome_of(book: Any, people: People) -> imports.Outcome:
    return imports.check(book=opened(book), by=people.fengming_cadre)


def opened(book: Any) -> Any:
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return open_cards(file)


def cell(book: Any, sheet: str, header: str, name: str = "王建国") -> Any:
    """The cell below `header` in the row that holds `name`."""
    column = next(each.column for each in book[sheet][1] if each.value == header)
    row = next(cells[0].row for cells in book[sheet].iter_rows() if name in {each.value for each in cells})
    return book[sheet].cell(row, column)


def counts(outcome: imports.Outcome) -> tuple[int, int, int, int, int]:
    return outcome.created, outcome.changed, outcome.same, outcome.refused, outcome.waiting


def test_a_village_exported_and_brought_again_is_the_same_household_by_household(book: Any, people: People) -> None:
    outcome = outcome_of(book, people)
    assert (counts(outcome), outcome.told) == ((0, 0, 3, 0, 0), [])
    assert outcome.members == 6


def test_no_number_of_a_person_stands_open_in_the_workbook(book: Any) -> None:
    text = str([row for sheet in book for row in sheet.iter_rows(values_only=True)])
    numbers = [number for person in Person.objects.all() for number in (person.id_number, person.phone) if number]
    assert [number for number in [*numbers, "6222020200112233445", "13907360001"] if number in text] == []
    assert cell(book, "户信息", "银行账号").value == "***************3445"


def test_one_changed_cell_changes_exactly_that_household_and_keeps_every_number(
    book: Any, village: list[Household], people: People
) -> None:
    cell(book, "户信息", "工资性收入").value = 8000
    before = load_card(village[1], 2019).card
    batch = imports.open_batch(by=people.fengming_cadre, file_name="a.xlsx", content=b"", initial=False)
    outcome = imports.take_in(book=opened(book), batch=batch, by=people.fengming_cadre)
    assert counts(outcome) == (0, 1, 2, 0, 0)
    after = load_card(village[1], 2019).card
    assert (after.sheet.wage_income, before.sheet.wage_income) == (8000, 0)
    assert (after.members, after.household.phone, after.household.bank_account, after.household.helper_phone) == (
        before.members, before.household.phone, before.household.bank_account, before.household.helper_phone,
    )  # fmt: skip
    assert Person.objects.count() == 6


@pytest.mark.parametrize(
    ("sheet", "header", "written"),
    [
        ("人信息", "证件号码", "4307**********0000"),
        ("人信息", "姓名", "王大国"),
        ("户信息", "户编号", "43072510320299999"),
    ],
)
def test_a_mask_that_fits_nobody_is_refused_and_makes_no_new_person(
    book: Any, people: People, sheet: str, header: str, written: str
) -> None:
    place = cell(book, sheet, header)
    assert place.value
    place.value = written
    outcome = outcome_of(book, people)
    assert (outcome.created, outcome.changed, outcome.waiting) == (0, 0, 0)
    assert "号码带星号" in str([each.reason for each in outcome.told])


def test_a_full_number_in_place_of_a_mask_is_read_as_ever(book: Any, people: People) -> None:
    cell(book, "户信息", "联系电话").value = "13873699999"
    assert counts(outcome_of(book, people)) == (0, 1, 2, 0, 0)
