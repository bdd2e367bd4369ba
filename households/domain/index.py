"""Index systems as data, the identification they decide, and the Alkire-Foster and FGT measures of an area.

An index system of a county and an accounting year holds lines in fen, dimensions with weighted indicators, vetoes and
exclusion rules. A rule is a tree of comparisons over the vocabulary of `households.domain.features`, joined by and/or;
it is validated when it is read and compiled to column operations with three truth values: what a household leaves open
makes a rule unknown only where it can matter. Definitions and a worked example: docs/identification.md.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from households.domain import income
from households.domain.features import FEATURES, MEMBER_FIELDS, Feature

UNDETERMINED, ABSOLUTE, RELATIVE, NOT_POOR = OUTCOMES = ("undetermined", "absolute", "relative", "not_poor")

# A score reaches the cutoff when it is within this of it: sums of weights such as 1/3 are not exact in binary.
SCORE_TOLERANCE = 1e-6
WEIGHT_TOLERANCE = Fraction(1, 1_000_000)
AREA_WEIGHT_TOLERANCE = 1e-3
MAX_INDICATORS = 60  # they share one bit mask of 63 bits

LINES = ("income_line", "monitoring_line")
NUMBER_OPERATORS = ("<", "<=", ">", ">=", "=", "!=")
LIST_OPERATORS = ("in", "not in")
# Bounds that keep every product of a comparison inside 63 bits: amounts stay under 10^14 fen.
_MAX_FACTOR_PART = 10_000
MAX_RULE_DEPTH = 6
_MAX_TRIALS = 20_000


# ---------------------------------------------------------------------------------------------------------------- data


@dataclass(frozen=True, slots=True)
class Label:
    """A name as offices read it, Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Product:
    """The right side "factor x field"; the factor is a number or one of LINES (then per person, in fen)."""

    field: str
    times: Fraction | str


@dataclass(frozen=True, slots=True)
class Comparison:
    """field operator value. Numbers are in the feature's unit (yuan, m2), choices are words of its list."""

    field: str
    operator: str
    value: bool | str | Fraction | tuple[str, ...] | Product


@dataclass(frozen=True, slots=True)
class AllOf:
    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    rules: tuple["Rule", ...]


Rule = Comparison | AllOf | AnyOf


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


def has_doubt(feature: Feature) -> bool:
    """Does the feature come with a column of members who might belong to it?"""
    return feature.kind == "count" and feature.name != "members"


def fields_of(rule: Rule) -> set[str]:
    """Every feature a rule reads."""
    return {
        name
        for comparison in comparisons(rule)
        for name in (comparison.field, *([comparison.value.field] if isinstance(comparison.value, Product) else []))
    }


def comparisons(rule: Rule) -> Iterator[Comparison]:
    """The leaves of a rule, left to right."""
    if isinstance(rule, Comparison):
        yield rule
    else:
        for part in rule.rules:
            yield from comparisons(part)


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


# ------------------------------------------------------------------------------------------------- reading and checking


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


# --------------------------------------------------------------------------------------------- three-valued evaluation


class Truth(NamedTuple):
    """Per household: surely yes, surely no; neither is unknown (Kleene)."""

    yes: np.ndarray
    no: np.ndarray

    @property
    def unknown(self) -> np.ndarray:
        return ~(self.yes | self.no)


class Range(NamedTuple):
    """A number known to lie between low and high; `unknown` rows say nothing at all."""

    low: np.ndarray
    high: np.ndarray
    unknown: np.ndarray


class Columns:
    """Typed, cached access to the feature columns of a frame; a missing column is a KeyError, an empty cell unknown."""

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame
        self.rows = len(frame)
        self._ranges: dict[str, Range] = {}

    def range(self, name: str) -> Range:
        if name not in self._ranges:
            self._ranges[name] = self._read_range(name)
        return self._ranges[name]

    def _read_range(self, name: str) -> Range:
        low, unknown = _integers(self.frame[name])
        doubt = f"{name}_unknown"
        if has_doubt(FEATURES[name]) and doubt in self.frame:
            more, more_unknown = _integers(self.frame[doubt])
            return Range(low, low + more, unknown | more_unknown)
        return Range(low, low, unknown)

    def truth(self, name: str) -> Truth:
        column = self.frame[name]
        if column.dtype == bool:
            yes = column.to_numpy()
            return Truth(yes, ~yes)
        known = column.notna().to_numpy()
        yes = column.astype("boolean").to_numpy(bool, na_value=False)
        return Truth(yes & known, ~yes & known)

    def choice(self, name: str, words: Sequence[str]) -> Truth:
        """Is the word one of these? A word outside the feature's list is unknown."""
        known = pd.Index(FEATURES[name].values)
        codes = known.get_indexer(pd.Index(self.frame[name]))
        hit = np.isin(codes, known.get_indexer(pd.Index(words)))
        return Truth(hit, ~hit & (codes >= 0))


def _integers(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    if column.dtype == "int64":
        return column.to_numpy(), np.zeros(len(column), bool)
    numbers = income.whole_numbers(column)
    return numbers.to_numpy("int64", na_value=0), numbers.isna().to_numpy()


def evaluate(rule: Rule, columns: Columns, system: IndexSystem) -> Truth:
    """The rule's truth for every household."""
    if isinstance(rule, AllOf):
        parts = [evaluate(part, columns, system) for part in rule.rules]
        return Truth(np.logical_and.reduce([p.yes for p in parts]), np.logical_or.reduce([p.no for p in parts]))
    if isinstance(rule, AnyOf):
        parts = [evaluate(part, columns, system) for part in rule.rules]
        return Truth(np.logical_or.reduce([p.yes for p in parts]), np.logical_and.reduce([p.no for p in parts]))
    if FEATURES[rule.field].kind == "truth":
        said = columns.truth(rule.field)
        return said if rule.value is True else Truth(said.no, said.yes)
    if FEATURES[rule.field].kind == "choice":
        words = rule.value if isinstance(rule.value, tuple) else (str(rule.value),)
        hit = columns.choice(rule.field, words)
        return hit if rule.operator in ("=", "in") else Truth(hit.no, hit.yes)
    return _compare(rule, columns, system)


def sides(rule: Comparison, system: IndexSystem) -> tuple[int, int, str | None]:
    """A numeric comparison over whole numbers: `left x a OP b` or `left x a OP right x b`, as (a, b, right field)."""
    feature = FEATURES[rule.field]
    if isinstance(rule.value, Product):
        other = FEATURES[rule.value.field]
        if rule.value.times in LINES:
            return 1, getattr(system, str(rule.value.times)), other.name
        ratio = Fraction(rule.value.times) * feature.scale / other.scale
        return ratio.denominator, ratio.numerator, other.name
    assert isinstance(rule.value, Fraction)
    return 1, int(rule.value * feature.scale), None


def _compare(rule: Comparison, columns: Columns, system: IndexSystem) -> Truth:
    left = columns.range(rule.field)
    a, b, other = sides(rule, system)
    low, high, unknown = left.low * a, left.high * a, left.unknown
    if other is None:
        right_low = right_high = np.full(columns.rows, b, "int64")
    else:
        right = columns.range(other)
        right_low, right_high, unknown = right.low * b, right.high * b, unknown | right.unknown
    less, not_less = high < right_low, low >= right_high
    more, not_more = low > right_high, high <= right_low
    same = (low == high) & (right_low == right_high) & (low == right_low)
    yes, no = {
        "<": (less, not_less),
        "<=": (not_more, more),
        ">": (more, not_more),
        ">=": (not_less, less),
        "=": (same, less | more),
        "!=": (less | more, same),
    }[rule.operator]
    return Truth(yes & ~unknown, no & ~unknown)


def _blame(
    rule: Rule, columns: Columns, system: IndexSystem, matters: np.ndarray, open_: dict[str, np.ndarray]
) -> None:
    """Collect, per feature, the households whose answer to the rule hangs on it."""
    matters = matters & evaluate(rule, columns, system).unknown
    if not matters.any():
        return
    if not isinstance(rule, Comparison):
        for part in rule.rules:
            _blame(part, columns, system, matters, open_)
        return
    for name in fields_of(rule):
        if FEATURES[name].is_number:
            numbers = columns.range(name)
            unclear = numbers.unknown | (numbers.low != numbers.high)
        else:
            unclear = matters
        open_[name] = open_.get(name, np.zeros(columns.rows, bool)) | (matters & unclear)


# ------------------------------------------------------------------------------------------------------ identification


def derive(cards: pd.DataFrame) -> pd.DataFrame:
    """The frame with transfer and net income worked out and a household without counting members made unknown."""
    sums = income.income(cards)
    return cards.assign(
        transfer_income=sums["transfer_income"],
        net_income=sums["net_income"],
        members=income.counting_members(cards["members"]),
    )


def assess(system: IndexSystem, cards: pd.DataFrame) -> pd.DataFrame:
    """Identify every household of a frame that has `system.columns`; see `judge` for what comes back."""
    return judge(system, derive(cards))


class Answers(NamedTuple):
    """What a system's rules say of every household, before weights, cutoff and lines decide."""

    deprivations: tuple[Truth, ...]
    missing: tuple[Truth, ...]
    excluded: tuple[Truth, ...]
    net: Range
    people: Range


def answers(system: IndexSystem, columns: Columns) -> Answers:
    """Every rule of the system over a derived frame, in the order of the system's parts."""

    def said(parts: Sequence[Indicator | NamedRule]) -> tuple[Truth, ...]:
        return tuple(evaluate(part.rule, columns, system) for part in parts)

    return Answers(
        said(system.indicators),
        said(system.vetoes),
        said(system.exclusions),
        columns.range("net_income"),
        columns.range("members"),
    )


class Decision(NamedTuple):
    """What weights, cutoff and lines make of the answers; `outcome` holds positions in OUTCOMES."""

    outcome: np.ndarray
    score: np.ndarray
    score_unknown: np.ndarray
    reaches_cutoff: np.ndarray
    income_unknown: np.ndarray
    to_line: np.ndarray
    to_monitoring_line: np.ndarray
    below_line: np.ndarray
    below_monitoring_line: np.ndarray
    gap: np.ndarray
    exclusion: Truth


def decide(system: IndexSystem, said: Answers) -> Decision:
    """The outcome of every household from the answers to the system's rules."""
    rows = len(said.net.low)
    income_unknown = said.net.unknown | said.people.unknown
    to_line = said.net.low - said.people.low * system.income_line
    to_monitoring = said.net.low - said.people.low * system.monitoring_line
    below_line, below_monitoring = ~income_unknown & (to_line < 0), ~income_unknown & (to_monitoring < 0)

    score = np.zeros(rows)
    for weight, deprived in zip(system.weights.values(), said.deprivations, strict=True):
        score += weight * deprived.yes
    score_unknown = _any([truth.unknown for truth in said.deprivations], rows)

    gap = _any([truth.yes for truth in said.missing], rows)
    gap_unknown = _any([truth.unknown for truth in said.missing], rows)
    exclusion = _any_of(list(said.excluded), rows)
    undetermined = income_unknown | score_unknown | gap_unknown | exclusion.unknown
    absolute = below_line | (below_monitoring & gap)
    reaches_cutoff = score + SCORE_TOLERANCE >= float(system.cutoff)
    relative = below_monitoring | reaches_cutoff
    return Decision(
        np.select([undetermined, absolute, relative], [0, 1, 2], default=3),
        score,
        score_unknown,
        reaches_cutoff,
        income_unknown,
        to_line,
        to_monitoring,
        below_line,
        below_monitoring,
        gap,
        exclusion,
    )


def judge(system: IndexSystem, households: pd.DataFrame) -> pd.DataFrame:
    """Outcome of every household of a derived frame, one row each, in its order.

    net_income, members (Int64, NA unknown) · deprived, unknown (bit masks over `system.indicators`) · missing,
    excluded_by (bit masks over vetoes and exclusions) · score (NaN when a deprivation is unknown) · reaches_cutoff,
    below_line, below_monitoring_line (False also where unknown) · outcome · guarantee_gap, excluded · to_line,
    to_monitoring_line (fen, net income minus line x members) · open_fields (the card's fields to fill in,
    comma-separated, empty unless undetermined).

    Each row depends on itself alone: the whole frame, its chunks and its single rows give the same.
    """
    columns = Columns(households)
    said = answers(system, columns)
    found = decide(system, said)
    net, people, rows = said.net, said.people, columns.rows
    return pd.DataFrame(
        {
            "net_income": _nullable(net.low, net.unknown),
            "members": _nullable(people.low, people.unknown),
            "deprived": _bits([truth.yes for truth in said.deprivations], rows),
            "unknown": _bits([truth.unknown for truth in said.deprivations], rows),
            "missing": _bits([truth.yes for truth in said.missing], rows),
            "excluded_by": _bits([truth.yes for truth in said.excluded], rows),
            "score": np.where(found.score_unknown, np.nan, np.round(found.score, 9)),
            "reaches_cutoff": found.reaches_cutoff & ~found.score_unknown,
            "below_line": found.below_line,
            "below_monitoring_line": found.below_monitoring_line,
            "outcome": pd.Categorical.from_codes(found.outcome.tolist(), categories=pd.Index(OUTCOMES)),
            "guarantee_gap": found.gap & ~found.income_unknown & ~found.below_monitoring_line,
            "excluded": found.exclusion.yes,
            "to_line": _nullable(found.to_line, found.income_unknown),
            "to_monitoring_line": _nullable(found.to_monitoring_line, found.income_unknown),
            "open_fields": pd.array(
                _open_fields(system, columns, found.exclusion, found.outcome == OUTCOMES.index(UNDETERMINED)),
                dtype="str",
            ),
        },
        index=households.index,
    )


def _any(masks: list[np.ndarray], rows: int) -> np.ndarray:
    return np.logical_or.reduce(masks) if masks else np.zeros(rows, bool)


def _any_of(truths: list[Truth], rows: int) -> Truth:
    if not truths:
        return Truth(np.zeros(rows, bool), np.ones(rows, bool))
    return Truth(np.logical_or.reduce([t.yes for t in truths]), np.logical_and.reduce([t.no for t in truths]))


def _bits(masks: list[np.ndarray], rows: int) -> np.ndarray:
    out = np.zeros(rows, "int64")
    for bit, mask in enumerate(masks):
        out |= mask.astype("int64") << bit
    return out


def _nullable(values: np.ndarray, unknown: np.ndarray) -> pd.Series:
    return pd.arrays.IntegerArray(np.where(unknown, 0, values), unknown)  # type: ignore[return-value]


def _open_fields(system: IndexSystem, columns: Columns, exclusion: Truth, undetermined: np.ndarray) -> np.ndarray:
    """For each undetermined household the names of the card's fields whose absence leaves a rule unknown."""
    out = np.full(columns.rows, "", dtype=object)
    rows = np.flatnonzero(undetermined)
    if not len(rows):
        return out
    few = Columns(columns.frame.iloc[rows])
    everybody = np.ones(len(rows), bool)
    open_: dict[str, np.ndarray] = {
        name: few.range(name).unknown for name in ("net_income", "members") if few.range(name).unknown.any()
    }
    for judged in [*(part.rule for part in system.indicators), *(part.rule for part in system.vetoes)]:
        _blame(judged, few, system, everybody, open_)
    for part in system.exclusions:
        _blame(part.rule, few, system, exclusion.unknown[rows], open_)
    empty = _empty_fields(few)
    named: list[dict[str, None]] = [{} for _ in rows]
    for name in (name for name in FEATURES if name in open_):
        blanks = {source: empty(source) for source in FEATURES[name].sources}
        none_blank = ~np.logical_or.reduce(list(blanks.values()))
        for source, blank in blanks.items():
            for position in np.flatnonzero(open_[name] & (blank | none_blank)):
                named[position][source] = None
    out[rows] = [",".join(fields) for fields in named]
    return out


def _empty_fields(columns: Columns) -> Any:
    """Which households have a field of the card, or of a counting member, empty?"""
    missing, _ = _integers(columns.frame["members_missing"])

    def empty(source: str) -> np.ndarray:
        if source in MEMBER_FIELDS:
            return (missing >> MEMBER_FIELDS.index(source)) & 1 == 1
        if source in columns.frame:
            return columns.frame[source].isna().to_numpy()
        return np.ones(columns.rows, bool)

    return empty


# ---------------------------------------------------------------------------------------------------- measures of areas


class AlkireFoster(NamedTuple):
    """H: share of persons who are poor. A: their mean score. M0 = H x A. `censored`: per indicator, the share of
    persons poor and deprived in it. `contributions`: its share of M0 (sum 1; all 0 when M0 is 0)."""

    H: float
    A: float
    M0: float
    censored: pd.Series
    contributions: pd.Series


def alkire_foster(
    deprivations: pd.DataFrame | Mapping[str, Sequence[int]],
    weights: Mapping[str, float] | pd.Series,
    cutoff: float,
    persons: pd.Series | Sequence[float] | None = None,
) -> AlkireFoster:
    """The Alkire-Foster measures of an area from its households' deprivations.

    `deprivations` holds 0 or 1, one row per household and one column per indicator; `weights` one weight per column,
    normalised here (more than 1e-3 away from a sum of 1 is an error); a household is poor when its score + 1e-6 >=
    cutoff; `persons` weighs the rows, 1 each by default, and is put in their order by its index when it is a series.
    Unknown values or indicators and other numbers are a ValueError. Where nobody lives every measure is 0.
    Source: Alkire and Foster (2011), Counting and multidimensional poverty measurement, J. of Public Economics 95.
    """
    deprivations, weights = pd.DataFrame(deprivations), dict(weights)
    names = list(deprivations.columns)
    if not names or set(names) != set(weights) or len(set(names)) != len(names):
        raise ValueError("weights and indicators do not match")
    share = np.array([float(weights[name]) for name in names])
    if not np.isfinite(share).all() or (share < 0).any():
        raise ValueError("a weight is unknown or negative")
    if abs(share.sum() - 1) > AREA_WEIGHT_TOLERANCE:
        raise ValueError(f"weights sum to {share.sum():.6f}, not to 1")
    share = share / share.sum()
    cutoff = float(cutoff)
    if not 0 <= cutoff <= 1:
        raise ValueError("the cutoff lies between 0 and 1")
    if deprivations.isna().to_numpy().any():
        raise ValueError("a deprivation is unknown")
    deprived = deprivations.to_numpy("float64")
    if not np.isin(deprived, (0.0, 1.0)).all():
        raise ValueError("a deprivation is neither 0 nor 1")
    people = _people(persons, deprivations.index)

    score = np.zeros(len(deprived))
    for column, weight in enumerate(share):
        score += weight * deprived[:, column]
    poor = score + SCORE_TOLERANCE >= cutoff
    everyone, poor_people = people.sum(), people[poor].sum()
    headcount = float(poor_people / everyone) if everyone else 0.0
    intensity = float((people[poor] * score[poor]).sum() / poor_people) if poor_people else 0.0
    censored = (people[poor, None] * deprived[poor]).sum(axis=0) / everyone if everyone else np.zeros(len(names))
    parts = share * censored
    contributions = parts / parts.sum() if parts.sum() > 0 else np.zeros(len(names))
    return AlkireFoster(
        headcount,
        intensity,
        headcount * intensity,
        pd.Series(censored, index=names, name="censored"),
        pd.Series(contributions, index=names, name="contributions"),
    )


class FosterGreerThorbecke(NamedTuple):
    """Shares of persons: below the line, mean relative gap, mean squared gap."""

    headcount: float
    gap: float
    severity: float


def fgt(
    income: pd.Series | Sequence[float],
    line: float | pd.Series | Sequence[float],
    persons: pd.Series | Sequence[float] | None = None,
) -> FosterGreerThorbecke:
    """Foster-Greer-Thorbecke measures: strictly below the line counts; the gap of a negative income exceeds 1.

    `income` and `line` share a unit; both per head, or both of a household (net income, line x members), give the same.
    A line is positive; unknown values are a ValueError.
    """
    amounts: pd.Series = pd.Series(income)
    lines: pd.Series = pd.Series(line, index=amounts.index) if np.isscalar(line) else _aligned(line, amounts.index)
    if amounts.isna().any() or lines.isna().any():
        raise ValueError("an income or a line is unknown")
    if (lines <= 0).any():
        raise ValueError("a line is not positive")
    people = _people(persons, amounts.index)
    everyone = people.sum()
    if not everyone:
        return FosterGreerThorbecke(0.0, 0.0, 0.0)
    poor = (amounts < lines).to_numpy(bool)
    gaps = ((lines - amounts) / lines).to_numpy("float64")[poor]
    weights = people[poor]
    return FosterGreerThorbecke(
        float(weights.sum() / everyone),
        float((weights * gaps).sum() / everyone),
        float((weights * gaps**2).sum() / everyone),
    )


def _people(persons: pd.Series | Sequence[float] | None, index: pd.Index) -> np.ndarray:
    if persons is None:
        return np.ones(len(index))
    persons = _aligned(persons, index)
    if persons.isna().any():
        raise ValueError("the persons of a household are unknown")
    people = persons.to_numpy("float64")
    if not np.isfinite(people).all() or (people < 0).any():
        raise ValueError("the persons of a household are negative or infinite")
    return people


def _aligned(column: Any, index: pd.Index) -> pd.Series:
    """The column in the order of the index; households it lacks become unknown. A plain list is in that order."""
    if len(column) != len(index):
        raise ValueError("columns of different households")
    if not isinstance(column, pd.Series):
        return pd.Series(column, index=index)
    return column if column.index.equals(index) else column.reindex(index)
