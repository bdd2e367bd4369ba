"""Why a household has its outcome (docs/identification.md)."""

from fractions import Fraction

import pytest

from households.domain.explain import ComparisonRow, RuleRow, explain
from tests.households import golden

CASES = {row["case"]: row for row in golden.rows("golden_identification.csv")}
SYSTEM = golden.DEFAULTS[2019]


def explained(case: str, **changes):
    return explain(SYSTEM, golden.stored_values(CASES[case], SYSTEM) | changes)


def changes_of(explanation) -> dict[tuple[str, str], tuple[tuple, int | None, bool]]:
    return {
        (change.feature.name, change.outcome): (change.to, change.distance, change.better)
        for change in explanation.changes
    }


def test_the_worked_household_of_the_docs():
    why = explained("the household of docs/identification.md")
    assert (why.outcome, why.score, why.net_income, why.members) == ("relative", 0.25, 1440000, 4)
    assert (why.line, why.to_line) == (1287200, 152800)
    assert (why.monitoring_line, why.to_monitoring_line) == (1930800, -490800)
    assert {row.id: row.contribution for row in why.indicators if row.state} == {
        "room": 0.0625,
        "sanitation": 0.0625,
        "illness": 0.125,
    }
    assert sum(row.contribution for row in why.indicators) == why.score
    assert sum(row.weight for row in why.indicators) == 1
    found = changes_of(why)
    assert found[("net_income", "not_poor")] == ((1930800,), 490800, True)
    assert found[("net_income", "absolute")] == ((1287199,), -152801, False)
    assert found[("uninsured_members", "absolute")] == ((1,), 1, False)
    assert found[("house_grade", "absolute")] == (("C级", "D级"), None, False)


def test_the_dimensions_share_the_score():
    rows = explained("the household of docs/identification.md").dimensions
    assert {row.label.en: (row.contribution, row.share) for row in rows if row.contribution} == {
        rows[1].label.en: (0.125, 0.5),
        rows[2].label.en: (0.125, 0.5),
    }
    assert sum(row.weight for row in rows) == 1


def test_nothing_is_shared_while_the_score_is_open():
    assert {row.share for row in explained("the household of docs/identification.md", house_area=None).dimensions} == {
        None
    }


def test_a_missing_guarantee_is_what_a_poor_household_can_change():
    found = changes_of(explained("the same with one member uninsured"))
    assert found[("uninsured_members", "relative")] == ((0,), -1, True)


def test_a_comparison_tells_value_threshold_and_distance():
    room = next(row for row in explained("the household of docs/identification.md").indicators if row.id == "room")
    assert isinstance(room.rule, ComparisonRow)
    assert (room.rule.value, room.rule.threshold, room.rule.distance) == (4800, Fraction(5200), Fraction(-400))
    assert (room.rule.of.name, room.rule.of_value, room.rule.times) == ("members", 4, Fraction(13))


def test_a_share_of_income_has_an_exact_threshold():
    why = explained("an old ill member whose cost is exactly 30 % of income", wage_income=1500001)
    illness = next(row for row in why.indicators if row.id == "illness")
    assert isinstance(illness.rule, RuleRow)
    share = illness.rule.parts[1].parts[2]
    assert share.threshold == Fraction(5040003, 10)
    assert share.state is False


def test_a_rule_is_told_branch_by_branch():
    water = next(row for row in explained("water unsafe is both").indicators if row.id == "water")
    assert (water.rule.join, water.state, [part.state for part in water.rule.parts]) == ("or", True, [True, False])


def test_an_undetermined_household_needs_its_open_fields_first():
    why = explained("perhaps one member uninsured")
    assert why.outcome == "undetermined"
    assert why.open_fields == ("residents_insurance", "employees_insurance")
    assert why.changes == ()
    insurance = next(row for row in why.indicators if row.id == "insurance")
    assert (insurance.state, insurance.rule.value) == (None, (0, 1))


def test_unknown_income_leaves_lines_but_no_distance():
    why = explained("wage unknown")
    assert (why.net_income, why.to_line, why.line) == (None, None, 965400)
    assert why.indicators[0].rule.value is None


def test_nobody_who_counts_leaves_not_even_a_line():
    assert explained("nobody counts").line is None


def test_vetoes_and_exclusions_that_hit_are_named():
    assert [row.id for row in explained("water unsafe is both").vetoes if row.state] == ["water"]
    assert [row.id for row in explained("a car not for a living").exclusions if row.state] == ["car"]


@pytest.mark.parametrize("case", CASES)
def test_every_golden_case_can_be_explained(case):
    system = golden.system_of(CASES[case])
    why = explain(system, golden.stored_values(CASES[case], system))
    assert why.outcome == CASES[case]["outcome"]
    assert all(change.better == (change.outcome != "absolute") for change in why.changes if why.outcome == "relative")


def test_a_stored_value_that_is_missing_is_an_error_not_an_unknown():
    values = golden.stored_values(CASES["wage unknown"], SYSTEM)
    del values["house_grade"]
    with pytest.raises(KeyError):
        explain(SYSTEM, values)
