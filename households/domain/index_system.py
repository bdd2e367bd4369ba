"""Index systems as data: read from JSON, checked, written back.

An index system of a county and an accounting year holds lines in fen, dimensions with weighted indicators, vetoes and
exclusion rules. Reading names every problem with its place; what contradicts itself is refused.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from households.domain import income
from households.domain.features import FEATURES, Feature
from households.domain.index_rules import (
    LINES,
    LIST_OPERATORS,
    NUMBER_OPERATORS,
    AllOf,
    AnyOf,
    Columns,
    Comparison,
    Label,
    Product,
    Rule,
    comparisons,
    evaluate,
    fields_of,
    has_doubt,
)

WEIGHT_TOLERANCE = Fraction(1, 1_000_000)
MAX_INDICATORS = 60  # they share one bit mask of 63 bits
MAX_RULE_DEPTH = 6
# Bounds that keep every product of a comparison inside 63 bits: amounts stay under 10^14 fen.
_MAX_FACTOR_PART = 10_000
_MAX_TRIALS = 20_000


@dataclass(frozen=True, slots=True)
class Indicator:
    """`weight` is as entered; `IndexSystem.weights` are the normalised ones."""

    id: str
    label: Label
    weight: Fraction
    rule: Rule


@dataclass(frozen=True, slots=True)
class Dimension:
    id: str
    label: Label
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A veto (a guarantee that is missing) or an exclusion rule."""

    id: str
    label: Label
    rule: Rule


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a definition: code, path to the place (dimensions.0.indicators.1.rule) and parameters."""

    code: str
    path: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


class InvalidIndex(ValueError):
    """A definition that cannot become an index system; `.problems` says why, place by place."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.path or '.'}: {problem.code}" for problem in self.problems))


@dataclass(frozen=True, slots=True)
class IndexSystem:
    """One county's standard of one accounting year. Lines are in fen a person and year."""

    year: int
    name: Label
    income_line: int
    monitoring_line: int
    cutoff: Fraction
    dimensions: tuple[Dimension, ...]
    vetoes: tuple[NamedRule, ...] = ()
    exclusions: tuple[NamedRule, ...] = ()

    @classmethod
    def from_json(cls, document: Any) -> "IndexSystem":
        """The system a JSON document describes; InvalidIndex when it does not hold."""
        reader = _Reader()
        system = reader.system(document)
        if reader.problems:
            raise InvalidIndex(reader.problems)
        assert system is not None
        problems = [*_check_weights(system), *_check_sense(system)]
        if problems:
            raise InvalidIndex(problems)
        return system

    def to_json(self) -> dict[str, Any]:
        """The document `from_json` reads back to an equal system."""
        return {
            "year": self.year,
            "name": _label_json(self.name),
            "income_line": str(income.to_yuan(self.income_line)),
            "monitoring_line": str(income.to_yuan(self.monitoring_line)),
            "cutoff": str(self.cutoff),
            "dimensions": [
                {
                    "id": dimension.id,
                    "label": _label_json(dimension.label),
                    "indicators": [
                        {
                            "id": indicator.id,
                            "label": _label_json(indicator.label),
                            "weight": str(indicator.weight),
                            "rule": _rule_json(indicator.rule),
                        }
                        for indicator in dimension.indicators
                    ],
                }
                for dimension in self.dimensions
            ],
            "vetoes": [_named_json(rule) for rule in self.vetoes],
            "exclusions": [_named_json(rule) for rule in self.exclusions],
        }

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON: equal systems have equal digests."""
        text = json.dumps(self.to_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """In the order of the bits of `deprived`."""
        return tuple(indicator for dimension in self.dimensions for indicator in dimension.indicators)

    @property
    def parts(self) -> tuple[Indicator | NamedRule, ...]:
        """Everything that has a rule."""
        return (*self.indicators, *self.vetoes, *self.exclusions)

    @property
    def weights(self) -> dict[str, float]:
        """Normalised: they sum to 1."""
        total = sum((indicator.weight for indicator in self.indicators), start=Fraction(0))
        return {indicator.id: float(indicator.weight / total) for indicator in self.indicators}

    @property
    def features(self) -> tuple[str, ...]:
        """Every feature this system reads, in the order of the vocabulary; income and members always."""
        read = {"net_income", "members"}.union(*(fields_of(part.rule) for part in self.parts))
        return tuple(name for name in FEATURES if name in read)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns `assess` needs of a frame of households."""
        read = [*income.PARTS, *(name for name in self.features if name not in ("net_income", "transfer_income"))]
        doubtful = [f"{name}_unknown" for name in self.features if has_doubt(FEATURES[name])]
        return (*dict.fromkeys(read), *doubtful, "members_missing")


def rule_from_json(document: Any) -> Rule:
    """One rule alone; InvalidIndex when it does not hold."""
    reader = _Reader()
    rule = reader.attempt(reader.rule, document, "rule")
    if reader.problems:
        raise InvalidIndex(reader.problems)
    return rule


def default_systems(document: Mapping[str, Any]) -> dict[int, IndexSystem]:
    """The city's default by accounting year, from households/reference/index_default.json."""
    factor = Decimal(document["monitoring_factor"])
    return {
        int(year): IndexSystem.from_json(
            {
                **document["system"],
                "year": int(year),
                "income_line": line,
                "monitoring_line": str(Decimal(line) * factor),
            }
        )
        for year, line in document["income_lines"].items()
    }


def _label_json(label: Label) -> dict[str, str]:
    return {"zh": label.zh, "en": label.en}


def _named_json(rule: NamedRule) -> dict[str, Any]:
    return {"id": rule.id, "label": _label_json(rule.label), "rule": _rule_json(rule.rule)}


def _rule_json(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, AllOf):
        return {"and": [_rule_json(part) for part in rule.rules]}
    if isinstance(rule, AnyOf):
        return {"or": [_rule_json(part) for part in rule.rules]}
    value: Any = rule.value
    if isinstance(value, Product):
        value = {"field": value.field, "times": str(value.times)}
    elif isinstance(value, Fraction):
        value = str(value)
    elif isinstance(value, tuple):
        value = list(value)
    return {"field": rule.field, "operator": rule.operator, "value": value}


# --------------------------------------------------------------------------------------------- reading and checking


class _Unreadable(Exception):
    """Raised inside the reader after a problem was noted; the next part is read all the same."""


class _Reader:
    """Turns a JSON document into dataclasses and notes every problem with its path."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._ids: set[str] = set()

    def fail(self, code: str, path: str, **parameters: Any) -> _Unreadable:
        self.problems.append(Problem(code, path, parameters))
        return _Unreadable()

    def system(self, document: Any) -> IndexSystem | None:
        if not isinstance(document, dict):
            self.fail("not_an_object", "")
            return None
        known = {"year", "name", "income_line", "monitoring_line", "cutoff", "dimensions", "vetoes", "exclusions"}
        for name in sorted(document.keys() - known):
            self.fail("unknown_key", name, key=name)
        year = self.attempt(self.whole, document, "year", 1990, 2100)
        name = self.attempt(self.label, document, "name")
        income_line = self.attempt(self.money, document, "income_line")
        monitoring_line = self.attempt(self.money, document, "monitoring_line")
        cutoff = self.attempt(self.fraction, document, "cutoff")
        dimensions = self.attempt(self.parts, document, "dimensions", self.dimension, True)
        vetoes = self.attempt(self.parts, document, "vetoes", self.named, False)
        exclusions = self.attempt(self.parts, document, "exclusions", self.named, False)
        if self.problems:
            return None
        return IndexSystem(year, name, income_line, monitoring_line, cutoff, dimensions, vetoes, exclusions)

    def attempt(self, read: Any, *arguments: Any) -> Any:
        try:
            return read(*arguments)
        except _Unreadable:
            return None

    def value(self, holder: Mapping[str, Any], key: str, path: str) -> Any:
        if key not in holder or holder[key] is None:
            raise self.fail("missing", path, key=key)
        return holder[key]

    def whole(self, holder: Mapping[str, Any], key: str, low: int, high: int) -> int:
        number = self.value(holder, key, key)
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise self.fail("out_of_range", key, low=low, high=high)
        return number

    def money(self, holder: Mapping[str, Any], key: str) -> int:
        yuan = self.value(holder, key, key)
        try:
            fen = income.to_fen(Decimal(str(yuan)))
        except (InvalidOperation, ValueError, OverflowError):
            raise self.fail("not_money", key) from None
        if isinstance(yuan, bool) or not 0 < fen <= 10**9:
            raise self.fail("out_of_range", key, low="0.01", high="10000000.00")
        return fen

    def number(self, value: Any, path: str) -> Fraction:
        try:
            if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                raise ValueError
            number = Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            raise self.fail("not_a_number", path) from None
        return number

    def fraction(self, holder: Mapping[str, Any], key: str) -> Fraction:
        share = self.number(self.value(holder, key, key), key)
        if not 0 < share <= 1:
            raise self.fail("out_of_range", key, low="0", high="1")
        return share

    def label(self, holder: Mapping[str, Any], key: str, path: str = "") -> Label:
        place = f"{path}.{key}" if path else key
        label = self.value(holder, key, place)
        if not isinstance(label, dict) or not all(isinstance(label.get(tongue), str) for tongue in ("zh", "en")):
            raise self.fail("not_a_label", place)
        if not label["zh"].strip():
            raise self.fail("missing", f"{place}.zh", key="zh")
        return Label(label["zh"], label["en"])

    def parts(self, holder: Mapping[str, Any], key: str, read: Any, needed: bool, path: str = "") -> tuple[Any, ...]:
        place = f"{path}.{key}" if path else key
        parts = holder.get(key, [])
        if not isinstance(parts, list):
            raise self.fail("not_a_list", place)
        if needed and not parts:
            raise self.fail("empty", place)
        return tuple(self.attempt(read, part, f"{place}.{position}") for position, part in enumerate(parts))

    def identity(self, part: Any, path: str) -> str:
        if not isinstance(part, dict):
            raise self.fail("not_an_object", path)
        name = self.value(part, "id", f"{path}.id")
        if not isinstance(name, str) or not name.isidentifier() or len(name) > 40:
            raise self.fail("not_a_name", f"{path}.id")
        return name

    def unique(self, name: str, kind: str, path: str) -> str:
        if (key := f"{kind}:{name}") in self._ids:
            raise self.fail("duplicate", f"{path}.id", id=name)
        self._ids.add(key)
        return name

    def dimension(self, part: Any, path: str) -> Dimension:
        name = self.unique(self.identity(part, path), "dimension", path)
        label = self.attempt(self.label, part, "label", path)
        return Dimension(name, label, self.parts(part, "indicators", self.indicator, True, path))

    def indicator(self, part: Any, path: str) -> Indicator:
        name = self.unique(self.identity(part, path), "indicator", path)
        label = self.attempt(self.label, part, "label", path)
        weight = self.attempt(self.weight, part, path)
        rule = self.attempt(self.rule, part.get("rule"), f"{path}.rule")
        return Indicator(name, label, weight, rule)

    def weight(self, part: Mapping[str, Any], path: str) -> Fraction:
        weight = self.number(self.value(part, "weight", f"{path}.weight"), f"{path}.weight")
        if not 0 < weight <= 1:
            raise self.fail("out_of_range", f"{path}.weight", low="0", high="1")
        return weight

    def named(self, part: Any, path: str) -> NamedRule:
        name = self.unique(self.identity(part, path), path.split(".")[0], path)
        label = self.attempt(self.label, part, "label", path)
        return NamedRule(name, label, self.attempt(self.rule, part.get("rule"), f"{path}.rule"))

    def rule(self, part: Any, path: str, depth: int = 0) -> Rule:
        if not isinstance(part, dict):
            raise self.fail("not_an_object", path)
        if depth > MAX_RULE_DEPTH:
            raise self.fail("too_deep", path, limit=MAX_RULE_DEPTH)
        for key, node in (("and", AllOf), ("or", AnyOf)):
            if key in part:
                if len(part) > 1 or not isinstance(part[key], list) or not part[key]:
                    raise self.fail("not_a_rule", path)
                inner = [
                    self.attempt(self.rule, one, f"{path}.{key}.{i}", depth + 1) for i, one in enumerate(part[key])
                ]
                return node(tuple(inner))
        if part.keys() != {"field", "operator", "value"}:
            raise self.fail("not_a_rule", path)
        return self.comparison(part, path)

    def feature(self, name: Any, path: str) -> Feature:
        if not isinstance(name, str) or name not in FEATURES:
            raise self.fail("unknown_feature", path, feature=str(name))
        return FEATURES[name]

    def comparison(self, part: Mapping[str, Any], path: str) -> Comparison:
        feature = self.feature(part["field"], f"{path}.field")
        operator, value, place = part["operator"], part["value"], f"{path}.value"
        allowed = {"truth": ("=",), "choice": ("=", "!=", *LIST_OPERATORS)}.get(feature.kind, NUMBER_OPERATORS)
        if operator not in allowed:
            raise self.fail("wrong_operator", f"{path}.operator", operator=str(operator), allowed=list(allowed))
        if feature.kind == "truth":
            if not isinstance(value, bool):
                raise self.fail("not_yes_or_no", place)
            return Comparison(feature.name, operator, value)
        if feature.kind == "choice":
            words = value if operator in LIST_OPERATORS else [value]
            if not isinstance(words, list) or not words:
                raise self.fail("not_a_list", place)
            for word in words:
                if word not in feature.values:
                    raise self.fail("not_in_list", place, value=str(word), allowed=list(feature.values))
            return Comparison(feature.name, operator, tuple(words) if operator in LIST_OPERATORS else words[0])
        if isinstance(value, dict):
            return Comparison(feature.name, operator, self.product(value, feature, place))
        number = self.number(value, place)
        if (number * feature.scale).denominator != 1 or abs(number * feature.scale) > 10**14:
            raise self.fail("not_a_number", place)
        return Comparison(feature.name, operator, number)

    def product(self, value: Mapping[str, Any], left: Feature, path: str) -> Product:
        if value.keys() != {"field", "times"}:
            raise self.fail("not_a_rule", path)
        right = self.feature(value["field"], f"{path}.field")
        if not right.is_number:
            raise self.fail("wrong_type", f"{path}.field", feature=right.name)
        if value["times"] in LINES:
            if left.kind != "money" or right.kind != "count":
                raise self.fail("wrong_unit", path, left=left.name, right=right.name)
            return Product(right.name, value["times"])
        factor = self.number(value["times"], f"{path}.times")
        if factor <= 0 or factor.numerator > _MAX_FACTOR_PART or factor.denominator > _MAX_FACTOR_PART:
            raise self.fail("out_of_range", f"{path}.times", low="0.0001", high=str(_MAX_FACTOR_PART))
        if right.kind != "count" and right.unit != left.unit:
            raise self.fail("wrong_unit", path, left=left.name, right=right.name)
        return Product(right.name, factor)


def _check_weights(system: IndexSystem) -> Iterator[Problem]:
    total = sum((indicator.weight for indicator in system.indicators), start=Fraction(0))
    if abs(total - 1) > WEIGHT_TOLERANCE:
        yield Problem("weights_sum", "dimensions", {"sum": str(round(float(total), 6))})


def _check_sense(system: IndexSystem) -> Iterator[Problem]:
    """Contradictions: lines in the wrong order, too many indicators, rules that hold for every household or none."""
    if system.monitoring_line < system.income_line:
        yield Problem("lines_reversed", "monitoring_line")
    if max(len(system.indicators), len(system.vetoes), len(system.exclusions)) > MAX_INDICATORS:
        yield Problem("too_many", "dimensions", {"limit": MAX_INDICATORS})
        return
    for path, part in _placed_rules(system):
        held = _trial(part.rule, system)
        if held is not None and len(held) == 1:
            yield Problem("never_true" if False in held else "always_true", path, {"id": part.id})


def _placed_rules(system: IndexSystem) -> Iterator[tuple[str, Indicator | NamedRule]]:
    for position, dimension in enumerate(system.dimensions):
        for place, indicator in enumerate(dimension.indicators):
            yield f"dimensions.{position}.indicators.{place}.rule", indicator
    for place, veto in enumerate(system.vetoes):
        yield f"vetoes.{place}.rule", veto
    for place, exclusion in enumerate(system.exclusions):
        yield f"exclusions.{place}.rule", exclusion


def _trial(rule: Rule, system: IndexSystem) -> set[bool] | None:
    """What the rule answers on made-up households around each of its thresholds; None when they are too many."""
    points = {name: _points(name, rule) for name in sorted(fields_of(rule))}
    if np.prod([float(len(values)) for values in points.values()]) > _MAX_TRIALS:
        return None
    rows = list(itertools.product(*points.values()))
    frame = pd.DataFrame({name: [row[i] for row in rows] for i, name in enumerate(points)})
    answers = evaluate(rule, Columns(frame), system)
    return set(np.unique(answers.yes).tolist())


def _points(name: str, rule: Rule) -> list[Any]:
    feature = FEATURES[name]
    if feature.kind == "truth":
        return [False, True]
    if feature.kind == "choice":
        return list(feature.values)
    lowest = -(10**9) if feature.minimum is None else feature.minimum
    start = 1 if name == "members" else lowest
    points = {start, start + 1, start + 2, 10**9 if feature.kind != "count" else 99}
    for comparison in comparisons(rule):
        if comparison.field == name and isinstance(comparison.value, Fraction):
            threshold = int(comparison.value * feature.scale)
            points |= {threshold - 1, threshold, threshold + 1}
    return sorted(point for point in points if point >= start)
