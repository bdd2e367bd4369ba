"""The sample workbook: its planted errors are found, each for its reason, and its harmless dirt is taken."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from households.domain.card_workbook import Problem, ReadCard, open_cards
from households.domain.checks import RED, Context
from tests.households.places import real_places

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "households/reference/sample_cards.xlsx"
PLANTED = json.loads((ROOT / "tests/data/sample_cards.planted.json").read_text(encoding="utf-8"))
CONTEXT = Context(line=Decimal(3218), places=real_places())

# the planted reason -> the check that names it, and where its cell stands
REASONS = {
    "check digit": ("id-check-digit", "人信息", "证件号码"),
    "17 digits": ("id-length", "人信息", "证件号码"),
    "sex against ID number": ("id-sex", "人信息", "性别"),
    "unknown village": ("village-unknown", "户信息", "行政村编码"),
    "net income is not the sum of its parts": ("income-sum", "户信息", "家庭年纯收入"),
    "value outside the list": ("value-list", "户信息", "主要致贫原因"),
    "negative area": ("land-negative", "户信息", "耕地面积"),
}


@cache
def read_sample() -> tuple[dict[str, ReadCard], dict[str, list[Problem]], int]:
    with open_cards(SAMPLE) as book:
        cards = [book.read(group) for group in book.groups]
        problems = {
            str(card.number): [book.locate(card, found) for found in card.judge(CONTEXT) if found.severity == RED]
            for card in cards
        }
        return {str(card.number): card for card in cards}, problems, book.members


def test_the_sample_holds_120_households_with_381_members():
    cards, _problems, members = read_sample()
    assert (len(cards), members) == (PLANTED["households"], PLANTED["members"])


def test_exactly_the_planted_households_are_refused():
    _cards, problems, _members = read_sample()
    assert sorted(number for number, found in problems.items() if found) == PLANTED["dirt"]["refused_households"]


@pytest.mark.parametrize(
    ("reason", "number"),
    [(reason, number) for reason, all_of in PLANTED["dirt"]["refused"].items() for number in all_of],
)
def test_a_planted_household_is_refused_for_its_planted_reason_and_its_cell_is_named(reason, number):
    _cards, problems, _members = read_sample()
    first = problems[number][0]
    assert (first.check_id, first.sheet, first.column) == REASONS[reason]


@pytest.mark.parametrize(
    "number", sorted({number for all_of in PLANTED["dirt"]["tolerated"].values() for number in all_of})
)
def test_harmless_dirt_is_taken_unless_the_household_carries_an_error_as_well(number):
    _cards, problems, _members = read_sample()
    assert bool(problems[number]) == (number in PLANTED["dirt"]["refused_households"])


def test_harmless_dirt_is_gone_from_the_typed_facts():
    cards, _problems, _members = read_sample()
    facts = cards["43072510320200005"].card
    assert (facts.members[0].name, facts.household.helper_name) == ("郭超德", None)
    assert cards["43072510320200050"].card.household.phone == "13057621606"
    assert cards["43072510320400005"].card.sheet.wage_income == Decimal("0.00")
    assert cards["43072510320200054"].card.sheet.wage_income == Decimal("28713.11")
    assert "43072519540706518X" in {member.id_number for member in cards["43072510320200014"].card.members}
    assert "1968-09-25" in {str(member.birth_date) for member in cards["43072510320200007"].card.members}


def test_two_cards_share_a_number():
    cards, _problems, _members = read_sample()
    first, second = (
        {member.id_number for member in cards[number].card.members} for number in PLANTED["same_number_on_two_cards"]
    )
    assert len(first & second) == 1


def test_what_a_message_quotes_is_masked():
    _cards, problems, _members = read_sample()
    quoted = [found.raw for all_of in problems.values() for found in all_of if found.column == "证件号码"]
    assert quoted
    assert all("*" * 10 in text for text in quoted)
