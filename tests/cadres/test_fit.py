"""Fit of a pair: golden cases, caps and hard rules from both sides. No database."""

import csv
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadres.domain import fit
from cadres.domain.fit import SCALE, Candidate, Demand, FitRules, PresentPost, Term
from cadres.domain.needs import SKILLS

TAOYUAN, LINLI = 430725000000, 430724000000
FENGMING, ZHANGSHAN = 430725103202, 430725103204
TERM = Term(date(2020, 1, 1), date(2021, 12, 31))
FIRST, MEMBER, PROFESSIONAL = "第一书记", "驻村工作队员", "专业书记"
CASES = list(csv.DictReader((Path(__file__).parents[1] / "data" / "fit_cases.csv").open(encoding="utf-8")))
DIALECT = {"会": frozenset([TAOYUAN]), "不会": frozenset([LINLI]), "不详": None}
UNIT = {"本县": (TAOYUAN, False), "市直": (None, True), "外县": (LINLI, False)}
PRESENT = {"是": PresentPost(430725103206, MEMBER, date(2020, 6, 30)), "否": None}


def pairs(text: str) -> dict[str, str]:
    return dict(part.split(":") for part in text.split())


def candidate_of(case: dict[str, str]) -> Candidate:
    unit_county, city_unit = UNIT[case["unit"]]
    return Candidate(
        staff_number="1",
        unit="单位",
        unit_county=unit_county,
        city_unit=city_unit,
        skills={skill: int(level) for skill, level in pairs(case["skills"]).items()},
        roles=frozenset([FIRST, MEMBER, PROFESSIONAL]),
        rural_years=int(case["years"]) if case["years"] else None,
        assessment=case["assessment"] or None,
        dialect_counties=DIALECT[case["dialect"]],
        wished_counties=frozenset({"是": [TAOYUAN], "否": []}[case["wished"]]),
        present=PRESENT[case["cut_short"]],
    )


def demand_of(case: dict[str, str]) -> Demand:
    need = {skill: int(Fraction(weight) * 10_000) for skill, weight in pairs(case["need"]).items()}
    return Demand(FENGMING, TAOYUAN, need)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_the_golden_cases_score_as_worked_by_hand(case: dict[str, str]) -> None:
    parts = fit.fit_parts(candidate_of(case), demand_of(case), MEMBER, FitRules(), TERM)
    assert parts.total == round(Fraction(case["score"]) * SCALE)


def able(**changes: object) -> Candidate:
    whole = Candidate(
        staff_number="1",
        unit="单位",
        unit_county=TAOYUAN,
        political_status="中共党员",
        roles=frozenset([FIRST, MEMBER]),
        assessment="称职",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "role", "reason"),
    [
        ({}, FIRST, None),
        ({}, PROFESSIONAL, "role"),
        ({"political_status": "群众"}, FIRST, "party"),
        ({"political_status": "中共预备党员"}, FIRST, "party"),
        ({"political_status": None}, FIRST, "party"),
        ({"political_status": "群众"}, MEMBER, None),
        ({"assessment": "不称职"}, MEMBER, "assessment"),
        ({"assessment": None}, MEMBER, None),
        ({"home_village": FENGMING}, MEMBER, "place"),
        ({"home_village": ZHANGSHAN}, MEMBER, None),
        ({"avoid_villages": frozenset([FENGMING, ZHANGSHAN])}, MEMBER, "place"),
        ({"available_from": date(2020, 1, 1), "available_to": date(2021, 12, 31)}, MEMBER, None),
        ({"available_from": date(2020, 1, 2)}, MEMBER, "available"),
        ({"available_to": date(2021, 12, 30)}, MEMBER, "available"),
    ],
)
def test_each_hard_rule_bars_and_lets_pass(changes: dict, role: str, reason: str | None) -> None:
    demand = Demand(FENGMING, TAOYUAN, {"水利": 10_000})
    assert fit.barred_by(able(**changes), demand, role, FitRules(), TERM) == reason


def test_a_county_may_let_probationary_members_lead() -> None:
    rules = FitRules(probationary_may_lead=True)
    assert fit.barred_from_role(able(political_status="中共预备党员"), FIRST, rules, TERM) is None


@pytest.mark.parametrize(
    ("village", "role", "planned_end", "change"),
    [
        (FENGMING, MEMBER, date(2020, 6, 30), 0),
        (FENGMING, FIRST, date(2020, 6, 30), -SCALE // 10),
        (ZHANGSHAN, MEMBER, date(2020, 6, 30), -SCALE // 10),
        (ZHANGSHAN, MEMBER, date(2020, 1, 1), 0),
    ],
)
def test_only_cutting_a_present_posting_short_costs(village: int, role: str, planned_end: date, change: int) -> None:
    candidate = able(present=PresentPost(village, role, planned_end))
    assert fit.fit_parts(candidate, Demand(FENGMING, TAOYUAN, {}), MEMBER, FitRules(), TERM).change == change


levels = st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 3))
needs = st.dictionaries(st.sampled_from(SKILLS), st.integers(0, 700))


@given(st.lists(levels, min_size=1, max_size=5), st.lists(needs, min_size=1, max_size=4))
def test_the_matrix_of_all_pairs_says_what_the_explanation_of_one_pair_says(skills: list, wanted: list) -> None:
    candidates = [able(staff_number=str(number), skills=one) for number, one in enumerate(skills)]
    demands = [Demand(FENGMING + number, TAOYUAN, one) for number, one in enumerate(wanted)]
    rules = FitRules()
    explained = [[fit.fit_parts(one, to, MEMBER, rules, TERM).total for one in candidates] for to in demands]
    assert fit.fit_matrix(demands, candidates, rules).tolist() == explained
