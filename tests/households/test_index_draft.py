"""What an office types of an index system: nothing is lost between page, tree and definition; the builder's steps."""

import copy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.domain import index_draft
from households.domain.features import FEATURES
from households.domain.index_draft import act, definition_of, from_fields, open_at, place_of, to_fields, typed_of
from households.domain.index_rules import LINES, NUMBER_OPERATORS
from households.domain.index_system import MAX_RULE_DEPTH, IndexSystem, InvalidIndex
from tests.households import golden

DEFAULT = golden.DEFAULTS[2019].to_json()
TYPED = typed_of(DEFAULT)

COUNTS = [name for name, feature in FEATURES.items() if feature.kind == "count"]
MONEY = [name for name, feature in FEATURES.items() if feature.kind == "money"]
figures = st.integers(1, 9999).map(lambda cents: str(Fraction(cents, 100)))


@st.composite
def comparisons(draw: Any) -> dict[str, Any]:
    """Any comparison the vocabulary allows, as a definition writes it."""
    feature = FEATURES[draw(st.sampled_from(sorted(FEATURES)))]
    if feature.kind == "truth":
        return {"field": feature.name, "operator": "=", "value": draw(st.booleans())}
    if feature.kind == "choice":
        operator = draw(st.sampled_from(["=", "!=", "in", "not in"]))
        words = draw(st.lists(st.sampled_from(feature.values), min_size=1, max_size=3, unique=True))
        return {"field": feature.name, "operator": operator, "value": words if "in" in operator else words[0]}
    value: Any = draw(figures)
    if feature.kind == "money" and draw(st.booleans()):
        value = {"field": draw(st.sampled_from(COUNTS)), "times": draw(st.one_of(figures, st.sampled_from(LINES)))}
    return {"field": feature.name, "operator": draw(st.sampled_from(NUMBER_OPERATORS)), "value": value}


rules = st.recursive(
    comparisons(),
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: {pair[0]: pair[1]}
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(rules, st.text(max_size=20).map(lambda text: text.replace("\x00", "").strip()), figures)
def test_a_definition_is_the_same_after_the_page(rule, name, weight):
    definition = copy.deepcopy(DEFAULT)
    definition["name"]["zh"] = name
    definition["dimensions"][1]["indicators"][0] |= {"rule": rule, "weight": weight}
    definition["vetoes"][0]["rule"] = rule
    typed = typed_of(definition)
    assert from_fields(to_fields(typed)) == typed
    assert definition_of(from_fields(to_fields(typed)), year=2019) == definition


def test_nothing_typed_is_lost_however_wrong():
    typed = copy.deepcopy(TYPED) | {"income_line": "三千", "cutoff": "1/0"}
    typed["dimensions"][0]["indicators"][0]["weight"] = "1e999999999"
    assert from_fields(to_fields(typed)) == typed
    problems = refused(typed)
    assert ("not_money", "income_line") in problems and ("not_a_number", "cutoff") in problems
    assert ("not_a_number", "dimensions.0.indicators.0.weight") in problems


def refused(typed) -> list[tuple[str, str]]:
    """What is wrong with it, at the controls of the page."""
    with pytest.raises(InvalidIndex) as wrong:
        IndexSystem.from_json(definition_of(typed, year=2019))
    return [(problem.code, place_of(problem.path)) for problem in wrong.value.problems]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("3,218", "3218"),
        (" ４８２７．５ ", "4827.5"),
        ("30%", "3/10"),
        ("1/3", "1/3"),
        ("", None),
        ("1e9", "?"),
        ("x", "?"),
    ],
)
def test_figures_are_read_as_clerks_write_them(text, written):
    assert index_draft.figure(text) == written


def test_an_empty_page_names_what_is_missing():
    places = dict((place, code) for code, place in refused(from_fields([])))
    assert places["zh"] == "missing" and places["income_line"] == "missing" and places["dimensions"] == "empty"


def test_made_up_controls_change_nothing():
    odd = [
        ("dimensions.0.indicators.0.weight.x", "1"),
        ("", ""),
        ("..", ""),
        ("zh.a", "1"),
        ("vetoes", "1"),
        ("rule", ""),
    ]
    assert from_fields([*to_fields(TYPED), *odd]) == TYPED
    assert act(TYPED, "remove:dimensions.99")[0] == TYPED
    assert act(TYPED, "add:dimensions.0.indicators.0.rule.words")[0] == TYPED
    assert act(TYPED, "explode:everything")[0] == TYPED


def ids(typed, path="dimensions") -> list[str]:
    return [node["id"] for node in index_draft._node(typed, path)]


def test_dimensions_and_indicators_are_added_moved_and_removed():
    typed, at = act(TYPED, "add:dimensions")
    assert (ids(typed)[-1], at) == ("d1", "dimensions.4.zh")
    typed, at = act(typed, "up:dimensions.4")
    assert (ids(typed)[3], at) == ("d1", "dimensions.3")
    typed, _at = act(typed, "add:dimensions.3.indicators")
    assert ids(typed, "dimensions.3.indicators") == ["i1", "i2"]
    typed, at = act(typed, "down:dimensions.3.indicators.1")  # over the edge, into the next dimension
    assert at == "dimensions.4.indicators.0" and ids(typed, "dimensions.4.indicators")[0] == "i2"
    typed, _at = act(typed, "remove:dimensions.3")
    assert ids(typed) == ids(TYPED)


def test_conditions_are_joined_nested_and_taken_away():
    place = "dimensions.1.indicators.1.rule"  # house area < 13 x members
    typed, at = act(TYPED, f"and:{place}")
    assert at == f"{place}.rules.1.field"
    typed, _at = act(typed, f"and:{place}.rules.0")  # beside, not deeper
    typed, _at = act(typed, f"or:{place}.rules.2")
    rule = index_draft._node(typed, place)
    assert (rule["join"], len(rule["rules"]), rule["rules"][2]["join"]) == ("and", 3, "or")
    typed, _at = act(typed, f"remove:{place}.rules.1")
    typed, _at = act(typed, f"remove:{place}.rules.1.rules.0")
    typed, _at = act(typed, f"remove:{place}.rules.1")
    assert typed == TYPED


def test_rules_are_not_nested_deeper_than_the_domain_reads():
    typed, place = TYPED, "vetoes.0.rule"
    for join in ("and", "or") * MAX_RULE_DEPTH:
        typed, at = act(typed, f"{join}:{place}")
        place = at.removesuffix(".field")
    assert "too_deep" not in [code for code, _place in refused(typed)]


def test_weights_are_shared_evenly():
    everything, _at = act(TYPED, "even:all")
    assert {part["weight"] for dimension in everything["dimensions"] for part in dimension["indicators"]} == {"1/9"}
    by_dimension, _at = act(everything, "even:dimensions")
    assert [dimension["indicators"][0]["weight"] for dimension in by_dimension["dimensions"]] == [
        "1/4",
        "1/16",
        "1/8",
        "1/8",
    ]
    typed, _at = act(TYPED, "add:dimensions.0.indicators")
    typed, _at = act(typed, "even:dimensions.0")
    assert index_draft.weights(typed)[0] == [Fraction(1, 8), Fraction(1, 8)]


def test_another_feature_gets_an_operator_and_a_value_that_fit():
    typed = copy.deepcopy(TYPED)
    typed["dimensions"][1]["indicators"][1]["rule"]["field"] = "house_grade"
    rule = act(typed, "refresh:")[0]["dimensions"][1]["indicators"][1]["rule"]
    assert (rule["operator"], rule["kind"], rule["words"]) == ("in", "number", [])


def test_a_part_with_a_problem_is_opened():
    typed = open_at(TYPED, ["dimensions.1.indicators.2.rule.rules.0.value"])
    assert [path for path, part in index_draft.parts_of(typed) if part["open"]] == ["dimensions.1.indicators.2"]
