"""The made-up city: the same from the same seed, and nothing in it that a check would refuse."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from households.domain import id_number
from households.domain.card_income import with_income
from households.domain.checks import RED, Context, run
from households.domain.city import count_members, make_village, plan_villages
from households.services.card_rows import name_keys
from tests.households.city import cards_of, real_places

LINES = {2018: Decimal(2995), 2019: Decimal(3218)}
PLACES = real_places()


@pytest.fixture(scope="module")
def blocks():
    """Villages of every county, large enough to hold the seldom cases too."""
    plan = [village for village in plan_villages(PLACES, 1_200_000, 1) if village.households > 150]
    return [make_village(replace(village, households=30), 1) for village in plan[:: len(plan) // 12]]


def test_the_same_seed_makes_the_same_village_and_another_seed_another(blocks):
    village = blocks[0].village
    assert make_village(village, 1).digest() == make_village(village, 1).digest() == blocks[0].digest()
    assert make_village(village, 2).digest() != blocks[0].digest()


def test_members_are_counted_before_they_are_made(blocks):
    for block in blocks:
        sheets = sum(int(year.alive.sum()) for year in block.years)
        assert count_members(block.village, 1) == (len(block.members["name"]), sheets)


def test_no_card_is_refused_by_a_check(blocks):
    cards = [card for block in blocks for card in cards_of(block)]
    assert len(cards) >= 300
    found = Counter(
        (finding.check_id, finding.attributes)
        for card in cards
        for finding in run(card, Context(line=LINES[card.sheet.year]))
        if finding.severity == RED
    )
    assert found == Counter()


def test_the_sums_are_those_the_system_works_out(blocks):
    for card in cards_of(blocks[1]):
        assert with_income(card) == card


def test_every_id_number_is_valid_and_alone(blocks):
    numbers = [number for block in blocks for number in block.members["id_number"].tolist() if number]
    assert {id_number.check(number) for number in numbers} == {None}
    assert len(set(numbers)) == len(numbers)


def test_neighbouring_villages_never_share_an_id_number():
    plan = [village for village in plan_villages(PLACES, 1_200_000, 1) if village.place.code // 10**6 == 430771]
    numbers = [n for village in plan for n in make_village(village, 1).members["id_number"].tolist() if n]
    assert len(set(numbers)) == len(numbers)


def test_a_city_has_as_many_households_as_asked_for():
    for households in (200, 12_000, 1_200_000):
        assert sum(village.households for village in plan_villages(PLACES, households, 3)) == households
    assert all(village.households for village in plan_villages(PLACES, 12_000, 3))


def test_names_are_sorted_as_a_typed_name_is(blocks):
    from households.services.city_rows import _name_keys

    names = [name for block in blocks for name in block.members["name"].tolist()]
    keys = _name_keys("", names)
    assert list(zip(keys["pinyin"], keys["initials"], strict=True)) == [name_keys(name) for name in names]


def test_the_second_year_tells_the_story_of_the_first(blocks):
    before, after = blocks[2].years
    assert (before.year, after.year) == (2018, 2019)
    assert set(before.alive.nonzero()[0]) <= set(after.alive.nonzero()[0])
    assert (before.sheets["cultivated_land"] == after.sheets["cultivated_land"]).all()
    assert (before.sheets["wage_income"] != after.sheets["wage_income"]).any()
