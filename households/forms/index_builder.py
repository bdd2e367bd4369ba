"""The builder of an index version as its page shows it: every control with its choices, its errors and its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from pypinyin import Style, lazy_pinyin

from households.domain.features import FEATURES, Feature
from households.domain.index_draft import (
    Typed,
    is_comparable,
    open_at,
    operators_of,
    place_of,
    rule_of,
    weights,
)
from households.domain.index_rules import LINES
from households.domain.index_system import WEIGHT_TOLERANCE, InvalidIndex, Problem, rule_from_json
from households.index_words import feature_text, line_text, problem_text, rule_text, unit_text
from households.reasons import field_text


@dataclass(frozen=True)
class Choice:
    value: str
    text: str
    chosen: bool = False


@dataclass(frozen=True)
class Group:
    text: str
    choices: list[Choice]


@dataclass(frozen=True)
class Comparison:
    """One condition. `errors` by control; `about` says unit and source of the feature."""

    path: str
    typed: Typed
    feature: Feature | None
    unit: str
    about: str
    features: list[Group]
    operators: list[Choice]
    kinds: list[Choice]
    others: list[Choice]
    words: list[Choice]
    errors: dict[str, list[str]]
    inside: bool

    join = ""


@dataclass(frozen=True)
class Joined:
    """Conditions joined by and/or."""

    path: str
    join: str
    rules: list["Comparison | Joined"]
    errors: list[str]
    inside: bool


@dataclass(frozen=True)
class Part:
    """An indicator, veto or exclusion rule; `sentence` is empty while its rule makes none."""

    path: str
    typed: Typed
    rule: Comparison | Joined
    sentence: str
    share: float | None
    errors: dict[str, list[str]]
    broken: bool


@dataclass(frozen=True)
class DimensionBox:
    path: str
    typed: Typed
    parts: list[Part]
    share: float
    errors: dict[str, list[str]]


@dataclass(frozen=True)
class Builder:
    """The page. `summary`: every error with the control it links to; `total` is the sum of the weights."""

    typed: Typed
    dimensions: list[DimensionBox]
    vetoes: list[Part]
    exclusions: list[Part]
    errors: dict[str, list[str]]
    summary: list[tuple[str, str]]
    total: float
    rest: float
    sums_up: bool
    focus: str
    checked: bool


def builder(typed: Typed, problems: Sequence[Problem] = (), *, focus: str = "", checked: bool = False) -> Builder:
    """The page of a tree, with what is wrong at its place; parts in which something is wrong are open."""
    found = [(place_of(problem.path), problem_text(problem)) for problem in problems]
    typed = open_at(typed, [place for place, _text in found])
    page = _Page(found)
    known = weights(typed)
    total = sum((weight for row in known for weight in row if weight is not None), start=Fraction(0))
    dimensions = [
        DimensionBox(
            path=f"dimensions.{position}",
            typed=dimension,
            parts=page.parts(f"dimensions.{position}.indicators", dimension["indicators"], known[position]),
            share=round(float(sum((weight for weight in known[position] if weight is not None), start=Fraction(0))), 4),
            errors=page.at(f"dimensions.{position}", "zh", "en", "indicators"),
        )
        for position, dimension in enumerate(typed["dimensions"])
    ]
    return Builder(
        typed=typed,
        dimensions=dimensions,
        vetoes=page.parts("vetoes", typed["vetoes"]),
        exclusions=page.parts("exclusions", typed["exclusions"]),
        errors=page.at("", "zh", "en", *LINES, "cutoff", "dimensions", "vetoes", "exclusions"),
        summary=[(_control(typed, place), text) for place, text in found],
        total=round(float(total), 6),
        rest=round(abs(float(1 - total)), 6),
        sums_up=abs(total - 1) <= WEIGHT_TOLERANCE,
        focus=focus,
        checked=checked,
    )


def _control(typed: Mapping[str, Any], place: str) -> str:
    """The id of the control to go to; a node that is none leads to its first."""
    node: Any = typed
    for step in place.split("."):
        if isinstance(node, list):
            node = node[int(step)] if int(step) < len(node) else {}
        elif step == "value" and node["kind"] not in ("number", ""):
            return f"c-{place.removesuffix('value')}{'times' if node['kind'] == 'times' else 'of'}"
        else:
            node = node.get(step)
    return f"c-{place}" if isinstance(node, str) else f"n-{place}"


class _Page:
    """Builds nodes, each with the errors of its place."""

    def __init__(self, found: Sequence[tuple[str, str]]) -> None:
        self.found = found
        self.features = [
            (title, [feature for feature in FEATURES.values() if feature.subject == subject])
            for subject, title in (("household", _("户卡")), ("members", _("家庭成员")), ("village", _("村卡")))
        ]

    def at(self, path: str, *names: str) -> dict[str, list[str]]:
        """Errors of the named controls of a node; "" of the node itself."""
        wanted = {(f"{path}.{name}" if path and name else path or name): name for name in (*names, "")}
        errors: dict[str, list[str]] = {}
        for place, text in self.found:
            if place in wanted:
                errors.setdefault(wanted[place], []).append(text)
        return errors

    def parts(self, path: str, parts: list[Typed], known: Sequence[Fraction | None] = ()) -> list[Part]:
        return [self.part(f"{path}.{place}", part, known[place] if known else None) for place, part in enumerate(parts)]

    def part(self, path: str, part: Typed, weight: Fraction | None) -> Part:
        return Part(
            path=path,
            typed=part,
            rule=self.rule(f"{path}.rule", part["rule"]),
            sentence=_sentence(part["rule"]),
            share=None if weight is None else float(weight),
            errors=self.at(path, "zh", "en", "weight", "rule"),
            broken=any(place.startswith(f"{path}.") for place, _text in self.found),
        )

    def rule(self, path: str, rule: Typed, inside: bool = False) -> Comparison | Joined:
        if rule["join"]:
            rules = [self.rule(f"{path}.rules.{place}", each, True) for place, each in enumerate(rule["rules"])]
            return Joined(path, rule["join"], rules, self.at(path).get("", []), inside)
        feature = FEATURES.get(rule["field"])
        errors = self.at(path, "field", "operator", "value", "times", "of")
        value = [*errors.pop("value", []), *errors.pop("times", []), *errors.pop("of", [])]
        return Comparison(
            path=path,
            typed=rule,
            feature=feature,
            unit=unit_text(feature) if feature else "",
            about=_about(feature) if feature else "",
            features=[
                Group(title, [Choice(each.name, _named(each), each.name == rule["field"]) for each in features])
                for title, features in self.features
            ],
            operators=_operators(feature, rule["operator"]),
            kinds=_kinds(feature, rule["kind"]),
            others=_others(feature, rule),
            words=[Choice(word, word, word in rule["words"]) for word in feature.values] if feature else [],
            errors={name or "node": texts for name, texts in errors.items()} | ({"value": value} if value else {}),
            inside=inside,
        )


@cache
def feature_initials() -> dict[str, str]:
    """Feature -> the initials of its Chinese name's pinyin, for finding it (static/js/choice-search.js)."""
    return {name: "".join(lazy_pinyin(each.label, style=Style.FIRST_LETTER)) for name, each in FEATURES.items()}


def _sentence(rule: Typed) -> str:
    try:
        return rule_text(rule_from_json(rule_of(rule)))
    except InvalidIndex:
        return ""


def _named(feature: Feature) -> str:
    unit = unit_text(feature)
    return f"{feature_text(feature)} ({unit})" if unit else feature_text(feature)


def _about(feature: Feature) -> str:
    sources = "、".join(field_text(source) for source in feature.sources)
    return _("取自：%(sources)s") % {"sources": sources}


def _operators(feature: Feature | None, chosen: str) -> list[Choice]:
    texts = {
        "<": _("低于"),
        "<=": _("不高于"),
        ">": _("超过"),
        ">=": _("不低于"),
        "=": _("等于") if feature is None or feature.is_number else _("为"),
        "!=": _("不等于") if feature is None or feature.is_number else _("不为"),
        "in": _("为其中之一"),
        "not in": _("不为其中任何一项"),
    }
    return [Choice(operator, texts[operator], operator == chosen) for operator in operators_of(feature)]


def _kinds(feature: Feature | None, chosen: str) -> list[Choice]:
    """What a number may be held against."""
    kinds = {"number": _("固定数"), "times": _("另一项的倍数")}
    if feature and feature.kind == "money":
        kinds |= {line: _("%(line)s × 人数") % {"line": line_text(line)} for line in LINES}
    return [Choice(kind, text, kind == chosen) for kind, text in kinds.items()]


def _others(feature: Feature | None, rule: Typed) -> list[Choice]:
    """The features a number may be held against, some times; a line only against counts of members."""
    if feature is None or not feature.is_number:
        return []
    others = [each for each in FEATURES.values() if is_comparable(feature, each)]
    if rule["kind"] in LINES:
        others = [each for each in others if each.kind == "count"]
    return [Choice(each.name, _named(each), each.name == rule["of"]) for each in others]
