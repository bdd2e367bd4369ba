"""A draft tried beside the version in force, by hand-computed numbers (docs/trial.md), and sums that add up."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.domain import income, index, sensitivity, trial
from households.domain.explain import frame_of
from households.domain.features import FEATURES
from households.domain.index_system import IndexSystem
from households.domain.trial import Count
from tests.households import golden
from tests.households.test_index import BASE, SYSTEM

REFERENCE = SYSTEM


def draft_system() -> IndexSystem:
    """The worked draft: line 3,500, monitoring line 5,000, cutoff 1/4, and an unsafe house is no veto any more."""
    document = copy.deepcopy(REFERENCE.to_json())
    document |= {"income_line": "3500", "monitoring_line": "5000", "cutoff": "1/4"}
    document["vetoes"] = [veto for veto in document["vetoes"] if veto["id"] != "house"]
    return IndexSystem.from_json(document)


DRAFT = draft_system()
ILL_AND_UNSCHOOLED = {"ill_members": 1, "ill_working_age": 1, "schooled_adults": 0}
# letter: (village, registered, members, wage in yuan, more)
WORKED = {
    "A": (1, True, 2, 6_000, {"uninsured_members": 1}),
    "B": (1, False, 2, 6_800, {}),
    "C": (1, True, 2, 9_800, {}),
    "D": (2, False, 4, 40_000, ILL_AND_UNSCHOOLED),
    "E": (2, True, 1, 20_000, {}),
    "F": (2, False, 3, None, {}),
    "G": (2, False, 2, 9_000, {"house_grade": "D级"}),
}
FINE = {
    **BASE,
    **dict.fromkeys(
        ("business_income", "property_income", "family_planning", "dibao", "wubao", "pension", "production_expenses"), 0
    ),
    **dict.fromkeys(("ecological_compensation", "other_transfer", "medical_cost", "ill_members", "ill_working_age"), 0),
    **{"house_grade": "B级", "house_area": 20_000, "water_safe": True, "water_difficult": False},
    **{"sanitary_toilet": True, "uninsured_members": 0, "out_of_school": 0, "schooled_adults": 1},
}


def frame() -> pd.DataFrame:
    cards = []
    for village, registered, members, wage, more in WORKED.values():
        values = FINE | {"members": members, "wage_income": None if wage is None else wage * 100} | more
        cards.append(frame_of(SYSTEM, values).assign(village_id=village, registered=registered))
    return pd.concat(cards, ignore_index=True)


def sums_of(cards: pd.DataFrame, reference=REFERENCE, draft=DRAFT) -> pd.DataFrame:
    return trial.village_sums(cards, reference, draft, index.assess(reference, cards), index.assess(draft, cards))


@pytest.fixture(scope="module")
def sums() -> dict[str, int]:
    return trial.add_up(trial.rows_of(sums_of(frame())).values())


def test_the_outcomes_of_the_worked_example():
    cards = frame()
    said = {side: index.assess(system, cards)["outcome"].tolist() for side, system in ((0, REFERENCE), (1, DRAFT))}
    assert dict(zip(WORKED, zip(said[0], said[1], strict=True), strict=True)) == {
        "A": ("absolute", "absolute"),
        "B": ("relative", "absolute"),
        "C": ("not_poor", "relative"),
        "D": ("not_poor", "relative"),
        "E": ("not_poor", "not_poor"),
        "F": ("undetermined", "undetermined"),
        "G": ("absolute", "relative"),
    }


def test_who_enters_leaves_and_stays(sums):
    assert trial.count(sums) == Count(7, 16)
    assert trial.changed(sums) == Count(4, 10)
    absolute, poor = trial.flow(sums, "absolute"), trial.flow(sums, "poor")
    assert absolute == trial.Flow(Count(1, 2), Count(1, 2), Count(4, 9), Count(1, 3))
    assert poor == trial.Flow(Count(2, 6), Count(0, 0), Count(4, 7), Count(1, 3))


def test_leakage_and_under_coverage_against_the_version_in_force_and_the_register(sums):
    def shares(errors) -> tuple:
        return errors.leaked, errors.treated, errors.missed, errors.poor

    assert shares(trial.errors(sums, "absolute")) == (Count(1, 2), Count(2, 4), Count(1, 2), Count(2, 4))
    assert shares(trial.errors(sums, "poor")) == (Count(2, 6), Count(5, 12), Count(0, 0), Count(3, 6))
    registered = trial.errors_of_registration(sums, "absolute")
    assert shares(registered) == (Count(1, 2), Count(2, 4), Count(2, 3), Count(3, 5))
    assert (registered.leakage, registered.under_coverage) == (0.5, 2 / 3)
    assert trial.errors_of_registration(sums, "poor").leakage == 3 / 5
    nobody = trial.errors({}, "poor")
    assert (nobody.leakage, nobody.under_coverage) == (None, None)


def poverty(found: trial.Measures) -> tuple[float, float, float]:
    return found.H, found.A, found.M0


def test_the_measures_of_both_sides(sums):
    now, then = trial.measures(sums, "reference", REFERENCE), trial.measures(sums, "draft", DRAFT)
    assert (now.scored, now.with_income) == (13, 13)
    assert poverty(now) == pytest.approx((2 / 13, 3 / 8, 0.75 / 13))
    assert poverty(then) == pytest.approx((8 / 13, 2.25 / 8, 2.25 / 13))
    shares = {"income": 4 / 9, "illness": 2 / 9, "insurance": 1 / 9, "schooling": 2 / 9}
    assert then.contributions == pytest.approx(dict.fromkeys(then.contributions, 0.0) | shares)
    assert then.censored["income"] == pytest.approx(4 / 13)
    assert (now.headcount, now.gap, now.severity) == pytest.approx((2 / 13, 0.0104220, 0.00070603), rel=1e-4)
    assert (then.headcount, then.gap, then.severity) == pytest.approx((4 / 13, 0.0263736, 0.0032653), rel=1e-4)


def test_the_measures_are_those_of_the_domain(sums):
    cards = frame().drop(index=5)  # without the household whose income is unknown
    for side, system in (("reference", REFERENCE), ("draft", DRAFT)):
        verdicts = index.assess(system, cards)
        deprived = pd.DataFrame(
            {one.id: (verdicts["deprived"] // 2**bit) % 2 for bit, one in enumerate(system.indicators)}
        )
        people = verdicts["members"].astype("int64")
        area = index.alkire_foster(deprived, system.weights, float(system.cutoff), people)
        income = index.fgt(verdicts["net_income"].astype("int64"), people * system.income_line, people)
        found = trial.measures(sums, side, system)
        assert poverty(found) == pytest.approx((area.H, area.A, area.M0))
        assert found.censored == pytest.approx(area.censored.to_dict())
        assert found.contributions == pytest.approx(area.contributions.to_dict())
        assert (found.headcount, found.gap, found.severity) == pytest.approx(tuple(income), abs=1e-9)


def test_what_differs_of_a_household_is_named():
    cards = frame()
    before, after = index.assess(REFERENCE, cards), index.assess(DRAFT, cards)

    def said(letter: str) -> list[tuple[str, str, bool]]:
        row = list(WORKED).index(letter)
        found = trial.differences(REFERENCE, DRAFT, before.iloc[row], after.iloc[row])
        return [(one.kind, one.id, one.by_draft) for one in found]

    assert said("A") == said("E") == said("F") == []
    assert said("B") == [("indicator", "income", True), ("line", "", True), ("cutoff", "", True)]
    assert said("C") == [("monitoring_line", "", True)]
    assert said("D") == [("cutoff", "", True)]
    assert said("G") == [("veto", "house", False)]


# letter of each household that changes, by the figure moved
MOVED = {
    "income_line.down": "B",
    "monitoring_line.down": "C",
    "cutoff.up": "D",
    "weight.income.up": "D",
    "weight.illness.down": "D",
    "weight.schooling.down": "D",
    "weight.safety.up": "D",
    "weight.room.up": "D",
    "weight.water.up": "D",
    "weight.sanitation.up": "D",
    "weight.insurance.up": "D",
    "weight.school.up": "D",
}


def test_which_households_hang_on_which_figure():
    found = sensitivity.changes(DRAFT, index.derive(frame()))
    households = {key: counts["households"] for key, counts in found.items()}
    assert households == {each.key: len(MOVED.get(each.key, "")) for each in sensitivity.variations(DRAFT)}
    assert found["income_line.down"] == {
        **{"households": 1, "persons": 2, "absolute_in": 0, "absolute_out": 1, "poor_in": 0, "poor_out": 0}
    }
    assert found["cutoff.up"]["persons"] == 4
    assert found["cutoff.up"]["poor_out"] == 1


def test_a_moved_weight_leaves_the_sum_at_one_and_the_others_in_proportion():
    moved = {each.key: each.system.weights for each in sensitivity.variations(DRAFT)}
    up = moved["weight.income.up"]
    assert sum(up.values()) == pytest.approx(1)
    assert up["income"] == pytest.approx(0.2625)
    assert up["illness"] / up["safety"] == pytest.approx(2)
    only = replace(DRAFT, dimensions=(DRAFT.dimensions[0],))
    assert not [each for each in sensitivity.variations(only) if each.kind == "weight"]


def line_reading() -> IndexSystem:
    """A draft whose veto reads the monitoring line and an unsure count: its truth itself moves with the line."""
    document = copy.deepcopy(DRAFT.to_json())
    product = {"field": "ill_members", "times": "monitoring_line"}
    document["vetoes"][0]["rule"] = {"field": "medical_cost", "operator": "<", "value": product}
    return IndexSystem.from_json(document)


def random_cards(seed: int, rows: int = 60) -> pd.DataFrame:
    """Cards with every kind of answer, unknown among them, around the lines."""
    chance = np.random.default_rng(seed)

    def column(name: str) -> pd.Series:
        feature = FEATURES.get(name)
        if feature is None:
            return pd.Series(chance.choice([0, 1], rows, p=[0.98, 0.02]), dtype="int64")
        if feature.kind == "count":
            return pd.Series(chance.choice([0, 0, 0, 1, 2], rows), dtype="int64")
        if feature.kind == "money":
            amounts = pd.Series(chance.integers(0, 1_600_000 // len(income.PARTS), rows), dtype="Int64")
            return amounts.mask(chance.random(rows) < 0.005)
        if feature.kind == "amount":
            return pd.Series(chance.integers(0, 6_000, rows), dtype="Int64")
        kind = "boolean" if feature.kind == "truth" else "object"
        values = [True, False] if feature.kind == "truth" else list(feature.values)
        return pd.Series([values[at] for at in chance.integers(0, len(values), rows)], dtype=kind).mask(
            chance.random(rows) < 0.005
        )

    cards = pd.DataFrame({name: column(name) for name in SYSTEM.columns})
    return cards.assign(
        members=chance.integers(0, 5, rows),
        village_id=chance.integers(1, 4, rows),
        registered=chance.random(rows) < 0.4,
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([DRAFT, line_reading()]))
@settings(max_examples=5, deadline=None)
def test_the_changes_equal_judging_anew_with_the_changed_system(seed, system):
    derived = index.derive(random_cards(seed))
    now = index.judge(system, derived)
    found = sensitivity.changes(system, derived)
    for each in sensitivity.variations(system):
        other = now["outcome"].astype(str) != index.judge(each.system, derived)["outcome"].astype(str)
        persons = int(now["members"].fillna(0)[other].sum())
        assert (each.key, found[each.key]["households"]) == (each.key, int(other.sum()))
        assert found[each.key]["persons"] == persons


@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
@settings(max_examples=8, deadline=None)
def test_the_sums_of_the_whole_are_those_of_its_chunks(seed, cut):
    whole = random_cards(seed)
    chunks = [whole.iloc[:cut], whole.iloc[cut:]]
    parts = [trial.add_up(trial.rows_of(sums_of(chunk)).values()) for chunk in chunks]
    total = trial.add_up(trial.rows_of(sums_of(whole)).values())
    assert trial.add_up(parts) == total
    assert trial.count(total).households == len(whole)
    for meaning in trial.MEANINGS:
        flow = trial.flow(total, meaning)
        parts_of_flow = (flow.enters, flow.leaves, flow.unchanged, flow.undecided)
        assert sum(part.households for part in parts_of_flow) == len(whole)
    changes = [sensitivity.changes(DRAFT, index.derive(chunk)) for chunk in chunks]
    assert sensitivity.add_up(changes) == sensitivity.changes(DRAFT, index.derive(whole))


def test_a_deep_debt_keeps_its_whole_square():
    cards = frame().iloc[[0]].assign(production_expenses=9 * 10**13)
    sums = trial.rows_of(sums_of(cards))[1]
    shortfall = 9 * 10**13 - 600_000 + 2 * 350_000
    assert sums["draft.shortfall"] == shortfall
    assert sums["draft.squares"] == shortfall**2 // 2


def test_golden_defaults_tried_on_themselves_change_nobody():
    same = trial.add_up(trial.rows_of(sums_of(frame(), draft=golden.DEFAULTS[2019])).values())
    assert trial.changed(same) == Count(0, 0)
