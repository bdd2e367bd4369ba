"""Members become counts of their household: golden members in memory, and how a household is counted."""

from pathlib import Path

import pandas as pd
import pytest

from households.domain.features import FEATURES, MEMBER_FIELDS, Belonging, count_members, who_belongs
from tests.households import golden

ANSWERS = ("residents_insurance", "employees_insurance", "counts", "soldier")
MEMBERS = golden.rows("golden_members.csv")
COUNTS = (
    *("ill_members", "ill_working_age", "uninsured_members", "out_of_school"),
    *("schooled_adults", "able_members", "disabled_members"),
)


def member(row: dict[str, str]) -> dict[str, object]:
    """A golden row as the columns of a member."""
    texts = {name: None if row[name] == "?" else row[name] for name in row}
    return {
        **{name: texts[name] for name in ("birth_date", "health", "education", "school_status", "labour")},
        **{name: golden.ANSWERS[row[name]] for name in ANSWERS},
    }


def frame(members: list[dict[str, object]], households: list[int]) -> pd.DataFrame:
    members_frame = pd.DataFrame(members).assign(household=households)
    return members_frame.astype({name: "boolean" for name in ANSWERS})


@pytest.mark.parametrize("row", MEMBERS, ids=lambda row: row["case"])
def test_golden_members(row):
    counted = count_members(frame([member(row)], [7]), int(row["year"])).loc[7]
    sure = {"not counted"} if not counted["members"] else {name for name in COUNTS if counted[name]}
    perhaps = {name for name in COUNTS if counted[f"{name}_unknown"]}
    assert (sure, perhaps) == (set(golden.words(row["member_of"])) or set(), set(golden.words(row["perhaps"]))) or (
        sure == {"not counted"} and row["member_of"] == "not counted"
    )


def test_a_household_adds_its_members_up_and_knows_what_is_empty():
    chosen = [
        member(next(row for row in MEMBERS if row["case"] == case))
        for case in ("chronically ill of working age", "health empty", "active soldier is not counted")
    ]
    counted = count_members(frame(chosen, [1, 1, 1]), 2019).loc[1]
    assert counted["members"] == 2
    assert (counted["ill_members"], counted["ill_members_unknown"]) == (1, 1)
    assert counted["schooled_adults"] == 2
    assert counted["members_missing"] == 1 << MEMBER_FIELDS.index("health")


def test_households_do_not_mix():
    chosen = [member(MEMBERS[0]), member(MEMBERS[1]), member(MEMBERS[1])]
    counted = count_members(frame(chosen, [1, 2, 2]), 2019)
    assert counted["ill_members"].to_dict() == {1: 0, 2: 2}


def test_every_feature_says_what_it_is_and_where_it_comes_from():
    assert all(feature.label and feature.meaning and feature.sources for feature in FEATURES.values())
    assert all(name == feature.name for name, feature in FEATURES.items())
    assert all(bool(feature.values) == (feature.kind == "choice") for feature in FEATURES.values())


def test_the_docs_list_every_feature():
    """docs/identification.md: name, type, unit, meaning in both tongues, whose fact it is; in the code's order."""
    lines = (Path(__file__).parents[2] / "docs/identification.md").read_text("utf-8").splitlines()
    start = lines.index("| field | type | unit | meaning | of |") + 2
    kinds, units = {"truth": "yes/no"}, {"": "-", "m2": "m²", "person": "persons"}
    assert lines[start : lines.index("", start)] == [
        f"| `{each.name}` | {kinds.get(each.kind, each.kind)} | {units.get(each.unit, each.unit)} "
        f"| {each.meaning} {each.label} | {each.subject} |"
        for each in FEATURES.values()
    ]


def test_members_of_a_count_are_the_ones_it_counts():
    cases = ("chronically ill of working age", "health empty", "active soldier is not counted")
    chosen = frame([member(next(row for row in MEMBERS if row["case"] == case)) for case in cases], [1, 1, 1])
    found = who_belongs(chosen, 2019)
    assert found["ill_members"] == Belonging(surely=(0,), perhaps=(1,))
    counted = count_members(chosen, 2019).loc[1]
    assert {name: len(belonging.surely) for name, belonging in found.items()} == {name: counted[name] for name in found}
