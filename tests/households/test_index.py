"""Index systems as data and the identification of households (docs/identification.md)."""

import copy
import json
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.domain import index
from households.domain.explain import frame_of
from households.domain.features import FEATURES, MEMBER_FIELDS
from households.domain.index_rules import AllOf, Comparison, Product, fields_of, sides
from households.domain.index_system import IndexSystem, InvalidIndex
from tests.households import golden

CASES = golden.rows("golden_identification.csv")
SYSTEM = golden.DEFAULTS[2019]
BASE = golden.stored_values(CASES[0], SYSTEM)


def names(bits: int, parts) -> list[str]:
    return [part.id for bit, part in enumerate(parts) if bits >> bit & 1]


def identify(system: IndexSystem = SYSTEM, **changes):
    return index.assess(system, frame_of(system, BASE | changes)).iloc[0]


def document(**changes):
    return SYSTEM.to_json() | changes


def problems(definition) -> list[tuple[str, str]]:
    with pytest.raises(InvalidIndex) as refused:
        IndexSystem.from_json(definition)
    return [(problem.path, problem.code) for problem in refused.value.problems]


def with_rule(rule) -> dict:
    """The default with the rule of its room indicator (dimensions.1.indicators.1) replaced."""
    changed = copy.deepcopy(SYSTEM.to_json())
    changed["dimensions"][1]["indicators"][1]["rule"] = rule
    return changed


ROOM = "dimensions.1.indicators.1.rule"


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["case"])
def test_golden_cases(row):
    system = golden.system_of(row)
    result = index.assess(system, frame_of(system, golden.stored_values(row, system))).iloc[0]
    said = {
        "net_income": "?" if pd.isna(result["net_income"]) else f"{result['net_income'] / 100:g}",
        "outcome": result["outcome"],
        "deprived": names(result["deprived"], system.indicators),
        "score": "?" if pd.isna(result["score"]) else f"{result['score']:g}",
        "missing": names(result["missing"], system.vetoes),
        "guarantee_gap": bool(result["guarantee_gap"]),
        "excluded": bool(result["excluded"]),
        "open_fields": result["open_fields"].split(",") if result["open_fields"] else [],
    }
    assert said == {
        "net_income": row["net_income"] if row["net_income"] == "?" else f"{float(row['net_income']):g}",
        "outcome": row["outcome"],
        "deprived": golden.words(row["deprived"]),
        "score": row["score"],
        "missing": golden.words(row["missing"]),
        "guarantee_gap": golden.ANSWERS[row["guarantee_gap"]],
        "excluded": golden.ANSWERS[row["excluded"]],
        "open_fields": golden.words(row["open_fields"]),
    }


def test_the_golden_cases_show_every_part_of_the_default_both_ways():
    def seen(column: str) -> set[str]:
        return {word for row in CASES for word in golden.words(row[column])}

    assert seen("deprived") == {indicator.id for indicator in SYSTEM.indicators}
    assert seen("missing") == {veto.id for veto in SYSTEM.vetoes}
    assert {row["year"] for row in CASES} == {str(year) for year in golden.DEFAULTS}
    assert {row["outcome"] for row in CASES} == set(index.OUTCOMES)
    for flag in ("guarantee_gap", "excluded"):
        assert {row[flag] for row in CASES} == {"是", "否"}
    owned = [sorted(fields_of(exclusion.rule)) for exclusion in SYSTEM.exclusions]
    alone = [[field for field in sum(owned, []) if row[field] == "是"] for row in CASES if row["excluded"] == "是"]
    assert all(fields in alone for fields in owned)


def test_the_golden_cases_name_every_field_a_rule_of_the_default_reads():
    sources = {source for name in SYSTEM.features for source in FEATURES[name].sources}
    assert {word for row in CASES for word in golden.words(row["open_fields"])} == sources


def test_the_default_has_the_lines_and_weights_of_the_office():
    assert {year: system.income_line for year, system in golden.DEFAULTS.items()} == {
        2016: 295200,
        2017: 295200,
        2018: 299500,
        2019: 321800,
        2020: 400000,
    }
    assert SYSTEM.monitoring_line == 482700
    assert sum(SYSTEM.weights.values()) == 1
    assert {dimension.id: sum(i.weight for i in dimension.indicators) for dimension in SYSTEM.dimensions} == {
        "income": 0.25,
        "housing": 0.25,
        "health": 0.25,
        "education": 0.25,
    }


def test_a_definition_survives_json_and_keeps_its_digest():
    again = IndexSystem.from_json(json.loads(json.dumps(SYSTEM.to_json())))
    assert again == SYSTEM
    assert again.digest == SYSTEM.digest
    assert IndexSystem.from_json(document(cutoff="1/2")).digest != SYSTEM.digest


def test_distances_are_fen_above_or_below_the_lines():
    result = identify()
    assert (result["to_line"], result["to_monitoring_line"]) == (1680000 - 3 * 321800, 1680000 - 3 * 482700)


def test_the_cutoff_allows_for_thirds_that_are_not_exact_in_binary():
    thirds = copy.deepcopy(SYSTEM.to_json())
    thirds["dimensions"] = thirds["dimensions"][:3]
    thirds["dimensions"][0]["indicators"][0]["weight"] = "0.3333333"
    thirds["dimensions"][1]["indicators"] = thirds["dimensions"][1]["indicators"][:1]
    thirds["dimensions"][1]["indicators"][0]["weight"] = "0.3333333"
    thirds["dimensions"][2]["indicators"] = thirds["dimensions"][2]["indicators"][:1]
    thirds["dimensions"][2]["indicators"][0]["weight"] = "0.3333333"
    system = IndexSystem.from_json(thirds)
    assert index.assess(system, frame_of(system, BASE | {"house_grade": "D级"}))["outcome"].tolist() == ["relative"]


def test_weights_are_normalised_within_a_millionth_and_refused_beyond():
    def weigh(weight: str):
        changed = copy.deepcopy(SYSTEM.to_json())
        changed["dimensions"][0]["indicators"][0]["weight"] = weight
        return changed

    assert sum(IndexSystem.from_json(weigh("0.2500009")).weights.values()) == pytest.approx(1, abs=1e-12)
    assert problems(weigh("0.2500011")) == [("dimensions", "weights_sum")]
    assert problems(weigh("0")) == [("dimensions.0.indicators.0.weight", "out_of_range")]
    assert problems(weigh("a quarter")) == [("dimensions.0.indicators.0.weight", "not_a_number")]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"field": "horoscope", "operator": "=", "value": True}, (f"{ROOM}.field", "unknown_feature")),
        ({"field": "house_area", "operator": "like", "value": 3}, (f"{ROOM}.operator", "wrong_operator")),
        ({"field": "water_safe", "operator": "<", "value": True}, (f"{ROOM}.operator", "wrong_operator")),
        ({"field": "water_safe", "operator": "=", "value": "是"}, (f"{ROOM}.value", "not_yes_or_no")),
        ({"field": "house_grade", "operator": "in", "value": ["E级"]}, (f"{ROOM}.value", "not_in_list")),
        ({"field": "house_grade", "operator": "in", "value": "C级"}, (f"{ROOM}.value", "not_a_list")),
        ({"field": "house_area", "operator": "<", "value": "large"}, (f"{ROOM}.value", "not_a_number")),
        ({"field": "house_area", "operator": "<", "value": "12.345"}, (f"{ROOM}.value", "not_a_number")),
        ({"field": "house_area", "operator": "<", "value": True}, (f"{ROOM}.value", "not_a_number")),
        ({"field": "house_area", "operator": "<"}, (ROOM, "not_a_rule")),
        ({"and": []}, (ROOM, "not_a_rule")),
        ("net_income < 0", (ROOM, "not_an_object")),
        (
            {"field": "house_area", "operator": "<", "value": {"field": "net_income", "times": "1"}},
            (f"{ROOM}.value", "wrong_unit"),
        ),
        (
            {"field": "house_area", "operator": "<", "value": {"field": "members", "times": "income_line"}},
            (f"{ROOM}.value", "wrong_unit"),
        ),
        (
            {"field": "house_area", "operator": "<", "value": {"field": "water_safe", "times": "1"}},
            (f"{ROOM}.value.field", "wrong_type"),
        ),
        (
            {"field": "house_area", "operator": "<", "value": {"field": "members", "times": "-1"}},
            (f"{ROOM}.value.times", "out_of_range"),
        ),
        ({"field": "house_area", "operator": "<", "value": 0}, (ROOM, "never_true")),
        ({"field": "house_area", "operator": ">=", "value": 0}, (ROOM, "always_true")),
        (
            {
                "and": [
                    {"field": "house_area", "operator": "<", "value": 10},
                    {"field": "house_area", "operator": ">", "value": 20},
                ]
            },
            (ROOM, "never_true"),
        ),
        (
            {
                "or": [
                    {"field": "water_safe", "operator": "=", "value": True},
                    {"field": "water_safe", "operator": "=", "value": False},
                ]
            },
            (ROOM, "always_true"),
        ),
    ],
)
def test_a_rule_that_cannot_stand_is_refused_with_its_place(rule, found):
    assert problems(with_rule(rule)) == [found]


def test_a_rule_nested_without_end_is_refused():
    rule = {"field": "house_area", "operator": "<", "value": 10}
    for _ in range(50):
        rule = {"and": [rule]}
    assert [code for _, code in problems(with_rule(rule))] == ["too_deep"]


def test_every_mistake_is_told_at_once():
    broken = document(year="2019", income_line="-1", monitoring_line="abc", cutoff="1.5", dimensions=[], surprise=1)
    assert set(problems(broken)) == {
        ("surprise", "unknown_key"),
        ("year", "out_of_range"),
        ("income_line", "out_of_range"),
        ("monitoring_line", "not_money"),
        ("cutoff", "out_of_range"),
        ("dimensions", "empty"),
    }
    assert problems([]) == [("", "not_an_object")]


def test_lines_in_the_wrong_order_and_double_names_are_refused():
    assert problems(document(monitoring_line="3000")) == [("monitoring_line", "lines_reversed")]
    doubled = copy.deepcopy(SYSTEM.to_json())
    doubled["vetoes"].append(doubled["vetoes"][0])
    assert problems(doubled) == [("vetoes.4.id", "duplicate")]


@pytest.mark.parametrize(
    ("operator", "area", "truth"),
    [
        *(("<", 999, True), ("<", 1000, False), ("<=", 1000, True), ("<=", 1001, False)),
        *((">", 1000, False), (">", 1001, True), (">=", 1000, True), (">=", 999, False)),
        *(("=", 1000, True), ("=", 999, False), ("!=", 1000, False), ("!=", 1001, True)),
    ],
)
def test_every_operator_on_both_sides_of_its_threshold(operator, area, truth):
    system = IndexSystem.from_json(with_rule({"field": "house_area", "operator": operator, "value": 10}))
    result = index.assess(system, frame_of(system, BASE | {"house_area": area})).iloc[0]
    assert ("room" in names(result["deprived"], system.indicators)) is truth


def test_words_outside_the_list_of_a_field_are_unknown():
    assert identify(house_grade="E级")["open_fields"] == "house_grade"


def test_shares_are_compared_without_division():
    rule = Comparison("medical_cost", ">", Product("net_income", Fraction("0.3")))
    assert sides(rule, SYSTEM) == (10, 3, "net_income")


def test_the_open_fields_of_members_are_those_really_empty():
    only_birth = 1 << MEMBER_FIELDS.index("birth_date")
    result = identify(schooled_adults=0, schooled_adults_unknown=1, members_missing=only_birth)
    assert result["open_fields"] == "birth_date"


def test_environment_rules_of_a_county_read_the_village_card():
    rule = {
        "or": [
            {"field": "village_hardened_road", "operator": "=", "value": False},
            {"field": "cultivated_land", "operator": "<", "value": {"field": "members", "times": "0.5"}},
            {"field": "able_members", "operator": "=", "value": 0},
        ]
    }
    system = IndexSystem.from_json(with_rule(rule))
    assert {"village_hardened_road", "cultivated_land", "able_members"} <= set(system.columns)
    known = BASE | {"village_hardened_road": True, "cultivated_land": 150, "able_members": 1}
    assert "room" not in names(index.assess(system, frame_of(system, known))["deprived"][0], system.indicators)
    short = known | {"cultivated_land": 149}
    assert "room" in names(index.assess(system, frame_of(system, short))["deprived"][0], system.indicators)
    left_open = known | {"village_hardened_road": None}
    assert index.assess(system, frame_of(system, left_open))["open_fields"][0] == "village.hardened_road"


def test_a_missing_column_is_an_error_and_never_an_unknown():
    with pytest.raises(KeyError):
        index.assess(SYSTEM, frame_of(SYSTEM, BASE).drop(columns="house_grade"))


def test_a_system_without_vetoes_or_exclusions_works():
    bare = IndexSystem.from_json(document(vetoes=[], exclusions=[]))
    values = BASE | {"owns_car": None, "house_grade": "D级"}
    assert index.assess(bare, frame_of(bare, values))["outcome"].tolist() == ["not_poor"]


def test_rules_are_read_as_trees():
    rule = SYSTEM.indicators[4].rule
    assert isinstance(rule, AllOf)
    assert fields_of(rule) == {"sanitary_toilet", "main_fuel"}


def stored(name: str):
    feature = FEATURES.get(name)
    if feature is None:
        return st.sampled_from([0, 0, 1]) if name != "members_missing" else st.integers(0, 127)
    if feature.kind == "truth":
        return st.sampled_from([True, False, None])
    if feature.kind == "choice":
        return st.sampled_from([*feature.values, None])
    if feature.kind == "count":
        return st.integers(0, 4)
    return st.one_of(st.none(), st.integers(0, 2_000_000))


households = st.lists(st.fixed_dictionaries({name: stored(name) for name in SYSTEM.columns}), min_size=1, max_size=4)


@given(households, st.data())
@settings(max_examples=40, deadline=None)
def test_the_whole_frame_its_chunks_and_its_single_rows_give_the_same(cards, data):
    frame = pd.concat([frame_of(SYSTEM, card) for card in cards], ignore_index=True)
    whole = index.assess(SYSTEM, frame)
    cut = data.draw(st.integers(0, len(cards)))
    chunks = pd.concat([index.assess(SYSTEM, frame.iloc[:cut]), index.assess(SYSTEM, frame.iloc[cut:])])
    singles = pd.concat([index.assess(SYSTEM, frame.iloc[[row]]) for row in range(len(cards))])
    pd.testing.assert_frame_equal(whole, chunks)
    pd.testing.assert_frame_equal(whole, singles)


@given(households)
@settings(max_examples=40, deadline=None)
def test_exactly_the_undetermined_name_fields_and_a_known_score_decides(cards):
    result = index.assess(SYSTEM, pd.concat([frame_of(SYSTEM, card) for card in cards], ignore_index=True))
    undetermined = result["outcome"] == "undetermined"
    assert ((result["open_fields"] != "") == undetermined).all()
    assert not (result["score"].isna() & ~undetermined).any()
    assert not (result["guarantee_gap"] & (result["outcome"] == "absolute")).any()
