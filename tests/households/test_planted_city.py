"""The planted city: its cards raise no red check, and its truth is named from what was planted."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from households.domain import id_number
from households.domain.checks import RED, Context, run
from households.domain.city import make_village, plan_villages
from households.domain.city.planted import plant
from tests.households.city import cards_of, real_places

LINES = {2018: Decimal(2995), 2019: Decimal(3218)}


@pytest.fixture(scope="module")
def planted():
    """Villages of every county with what was planted into them."""
    plan = [village for village in plan_villages(real_places(), 1_200_000, 1) if village.households > 150]
    made = [make_village(replace(village, households=90), 1) for village in plan[:: len(plan) // 16]]
    return [(block, *plant(block, 1)) for block in made]


def test_no_planted_card_is_refused_by_a_check(planted):
    cards = [card for _before, block, _planted in planted for card in cards_of(block)]
    found = Counter(
        (finding.check_id, finding.attributes)
        for card in cards
        for finding in run(card, Context(line=LINES[card.sheet.year]))
        if finding.severity == RED
    )
    assert len(cards) > 2500
    assert found == Counter()


def test_every_kind_is_planted_and_the_same_seed_plants_the_same(planted):
    kinds = Counter(kind for _before, _block, made in planted for _household, kind in made.truth)
    assert set(kinds) >= {
        "vehicle", "real_estate", "public_payroll", "company", "deceased", "duplicate_number", "income_implausible",
        "kin", "bunching", "paper_split", "left_out", "clinging", "village_rate", "sudden_hardship",
    }  # fmt: skip
    before, block, made = planted[3]
    again, twice = plant(before, 1)
    assert (again.digest(), twice.truth, twice.registers) == (block.digest(), made.truth, made.registers)
    assert plant(before, 2)[0].digest() != block.digest()


def test_the_village_one_plants_into_stays_as_it_was(planted):
    for before, block, _made in planted:
        assert make_village(before.village, 1).digest() == before.digest() != block.digest()


def test_registers_hold_rows_that_only_look_alike(planted):
    """Numbers of nobody, numbers typed wrongly, of who moved out, and deaths after the year's end: none is in the
    truth."""
    deaths = [row[1] for _before, _block, made in planted for row in made.registers.get("death", [])]
    assert min(deaths) < "2018-10-01" and max(deaths) > "2019-09-30"
    for _before, block, made in planted:
        number, home = block.members["id_number"], block.members["household"]
        of = {one: int(household) for one, household in zip(number.tolist(), home.tolist(), strict=True) if one}
        truth = set(made.truth)
        late = [row for row in made.registers.get("death", []) if row[1] > "2019-09-30"]
        assert not {(of[row[0]], "deceased") for row in late} & truth
        gone = {int(home[member]) for member in made.left}
        assert not gone & {household for household, kind in truth if kind in ("deceased", "vehicle", "real_estate")}
        assert not block.years[-1].alive[sorted(made.left)].any()
    rows = [row[0] for *_rest, made in planted for kind in made.registers for row in made.registers[kind]]
    ours = {one for _before, block, _made in planted for one in block.members["id_number"].tolist()}
    valid = [id_number.check(one) is None for one in rows]
    assert 0 < valid.count(False) < len(rows) / 20
    assert any(ok and one not in ours for one, ok in zip(rows, valid, strict=True))


def test_who_clings_was_on_the_list_through_both_years_and_could_live_without(planted):
    for _before, block, made in planted:
        for household, kind in made.truth:
            if kind in ("clinging", "exit_due"):
                assert block.households["status"][household] == "registered"
                assert block.years[-1].sheets["per_capita_income"][household] >= 150 * 3218
            if kind == "clinging":
                assert str(block.households["status_since"][household].astype("datetime64[D]")) <= "2018-09-30"
