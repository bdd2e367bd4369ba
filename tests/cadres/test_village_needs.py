"""Needs of a village: the example of docs/matching.md, worked by hand, and what must always hold. No database."""

import csv
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadres.domain.needs import SKILLS, WEIGHT_UNITS, NeedRules, VillageFacts, need_of, normalised

REFERENCE = Path(__file__).resolve().parents[2] / "cadres" / "reference"


def default_rules() -> NeedRules:
    skills: dict[str, dict[str, dict[str, Fraction]]] = {"cause": {}}
    with (REFERENCE / "cause_skills.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            skills["cause"].setdefault(row["cause"], {})[row["skill"]] = Fraction(row["weight"])
    with (REFERENCE / "need_skills.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            skills.setdefault(row["part"], {}).setdefault(row["key"], {})[row["skill"]] = Fraction(row["weight"])
    return NeedRules(skills=skills)


EXAMPLE = VillageFacts(
    village=430725103202,
    households=20,
    main_causes={"因病": 10, "缺技术": 6, "缺劳力": 4},
    gaps={"饮水安全": 4},
    households_without_labour=5,
    idle_members=6,
    able_members=30,
    industries=("茶叶",),
)


def test_the_example_of_the_docs_comes_out_as_worked_by_hand() -> None:
    assert need_of(EXAMPLE, default_rules()).weights == {
        "卫生": 2667,
        "产业规划": 1946,
        "种植": 1676,
        "劳务输出": 1320,
        "养殖": 686,
        "电商": 508,
        "金融": 432,
        "党建": 384,
        "水利": 305,
        "工程建设": 76,
    }


def test_every_amount_of_a_weight_is_explained_by_a_row() -> None:
    rows = [row for row in need_of(EXAMPLE, default_rules()).rows if row.skill == "水利"]
    assert [(row.part, row.key, row.count, row.total, row.amount) for row in rows] == [
        ("guarantee", "饮水安全", 4, 20, Fraction("0.024"))
    ]


def test_another_cause_counts_half_of_a_main_one() -> None:
    facts = VillageFacts(village=1, households=2, main_causes={"因病": 1}, other_causes={"因学": 2})
    shares = {row.key: row.count / row.total for row in need_of(facts, default_rules()).rows if row.part == "cause"}
    assert shares == {"因病": Fraction(1, 2), "因学": Fraction(1, 2)}


def test_cards_that_say_nothing_give_no_need() -> None:
    assert need_of(VillageFacts(village=1, households=0), default_rules()).weights == {}


def test_a_cause_of_no_known_skill_is_left_out_of_the_weights() -> None:
    facts = VillageFacts(village=1, households=4, main_causes={"陨石": 4})
    assert {row.part for row in need_of(facts, default_rules()).rows} == {"size"}


def test_skill_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match="因病"):
        NeedRules(skills={"cause": {"因病": {"卫生": Fraction(1, 2)}}})


@given(st.dictionaries(st.sampled_from(SKILLS), st.fractions(0, 1000), min_size=1))
def test_weights_sum_to_one_and_keep_their_order(amounts: dict[str, Fraction]) -> None:
    weights = normalised(amounts)
    total = sum(amounts.values())
    assert sum(weights.values()) == (WEIGHT_UNITS if total else 0)
    assert all(abs(weights.get(skill, 0) - amounts[skill] * WEIGHT_UNITS / (total or 1)) < 1 for skill in amounts)
