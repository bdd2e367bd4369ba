"""Rules of an index system as data, and their three-valued evaluation over columns.

A rule is a tree of comparisons over the vocabulary of `households.domain.features`, joined by and/or. It is compiled to
column operations with three truth values: what a household leaves open makes a rule unknown only where it can matter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from households.domain import income
from households.domain.features import FEATURES, Feature

LINES = ("income_line", "monitoring_line")
NUMBER_OPERATORS = ("<", "<=", ">", ">=", "=", "!=")
LIST_OPERATORS = ("in", "not in")


class Lines(Protocol):
    """What a rule may hold an amount against: lines in fen a person and year."""

    @property
    def income_line(self) -> int: ...

    @property
    def monitoring_line(self) -> int: ...


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
        low, unknown = integers(self.frame[name])
        doubt = f"{name}_unknown"
        if has_doubt(FEATURES[name]) and doubt in self.frame:
            more, more_unknown = integers(self.frame[doubt])
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


def integers(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The column's whole numbers (0 where empty), and which cells are empty."""
    if column.dtype == "int64":
        return column.to_numpy(), np.zeros(len(column), bool)
    numbers = income.whole_numbers(column)
    return numbers.to_numpy("int64", na_value=0), numbers.isna().to_numpy()


def evaluate(rule: Rule, columns: Columns, lines: Lines) -> Truth:
    """The rule's truth for every household."""
    if isinstance(rule, AllOf):
        parts = [evaluate(part, columns, lines) for part in rule.rules]
        return Truth(np.logical_and.reduce([p.yes for p in parts]), np.logical_or.reduce([p.no for p in parts]))
    if isinstance(rule, AnyOf):
        parts = [evaluate(part, columns, lines) for part in rule.rules]
        return Truth(np.logical_or.reduce([p.yes for p in parts]), np.logical_and.reduce([p.no for p in parts]))
    if FEATURES[rule.field].kind == "truth":
        said = columns.truth(rule.field)
        return said if rule.value is True else Truth(said.no, said.yes)
    if FEATURES[rule.field].kind == "choice":
        words = rule.value if isinstance(rule.value, tuple) else (str(rule.value),)
        hit = columns.choice(rule.field, words)
        return hit if rule.operator in ("=", "in") else Truth(hit.no, hit.yes)
    return _compare(rule, columns, lines)


def sides(rule: Comparison, lines: Lines) -> tuple[int, int, str | None]:
    """A numeric comparison over whole numbers: `left x a OP b` or `left x a OP right x b`, as (a, b, right field)."""
    feature = FEATURES[rule.field]
    if isinstance(rule.value, Product):
        other = FEATURES[rule.value.field]
        if rule.value.times in LINES:
            return 1, getattr(lines, str(rule.value.times)), other.name
        ratio = Fraction(rule.value.times) * feature.scale / other.scale
        return ratio.denominator, ratio.numerator, other.name
    assert isinstance(rule.value, Fraction)
    return 1, int(rule.value * feature.scale), None


def _compare(rule: Comparison, columns: Columns, lines: Lines) -> Truth:
    left = columns.range(rule.field)
    a, b, other = sides(rule, lines)
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


def blame(rule: Rule, columns: Columns, lines: Lines, matters: np.ndarray, open_: dict[str, np.ndarray]) -> None:
    """Collect, per feature, the households whose answer to the rule hangs on it."""
    matters = matters & evaluate(rule, columns, lines).unknown
    if not matters.any():
        return
    if not isinstance(rule, Comparison):
        for part in rule.rules:
            blame(part, columns, lines, matters, open_)
        return
    for name in fields_of(rule):
        if FEATURES[name].is_number:
            numbers = columns.range(name)
            unclear = numbers.unknown | (numbers.low != numbers.high)
        else:
            unclear = matters
        open_[name] = open_.get(name, np.zeros(columns.rows, bool)) | (matters & unclear)
