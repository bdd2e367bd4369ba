"""Why a household has its outcome: its stored values and the frozen index system, taken apart indicator by indicator.

Codes and figures, no prose: pages turn them into sentences. Figures are whole numbers of the feature's smallest unit
(fen, hundredths of m2); thresholds that come from a share may fall between two of them and are exact fractions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import pandas as pd

from households.domain import income, index
from households.domain.features import FEATURES, Feature
from households.domain.index_rules import (
    AllOf,
    Columns,
    Comparison,
    Label,
    Product,
    Rule,
    Truth,
    comparisons,
    evaluate,
    has_doubt,
    sides,
)
from households.domain.index_system import Dimension, IndexSystem

Value = int | bool | str | None | tuple[int, int]


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One comparison: the value read, the threshold it met, and how far it is from it (value - threshold)."""

    feature: Feature
    operator: str
    value: Value
    threshold: Fraction | bool | tuple[str, ...] | None
    times: Fraction | str | None
    of: Feature | None
    of_value: Value
    distance: Fraction | None
    state: bool | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule that joins others."""

    join: Literal["and", "or"]
    parts: tuple["RuleRow | ComparisonRow", ...]
    state: bool | None


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    id: str
    label: Label
    dimension: Label
    weight: float
    contribution: float
    state: bool | None
    rule: RuleRow | ComparisonRow


@dataclass(frozen=True, slots=True)
class DimensionRow:
    """What one dimension adds to the score c. `share`: its part of c, None while c is unknown or nothing."""

    label: Label
    weight: float
    contribution: float
    share: float | None
    indicators: tuple[IndicatorRow, ...]


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A veto (state True: the guarantee is missing) or an exclusion rule (True: it hits)."""

    id: str
    label: Label
    state: bool | None
    rule: RuleRow | ComparisonRow


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one feature alone that gives another outcome; `to`: the nearest figure, or every answer that does."""

    feature: Feature
    to: tuple[Value, ...]
    distance: int | None
    outcome: str
    better: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Amounts in fen; `line` and `monitoring_line` are those of the whole household (line x members)."""

    outcome: str
    net_income: int | None
    members: int | None
    line: int | None
    monitoring_line: int | None
    to_line: int | None
    to_monitoring_line: int | None
    score: float | None
    cutoff: float
    guarantee_gap: bool
    excluded: bool
    open_fields: tuple[str, ...]
    worksheet: tuple[income.IncomeRow, ...]
    dimensions: tuple[DimensionRow, ...]
    vetoes: tuple[NamedRow, ...]
    exclusions: tuple[NamedRow, ...]
    changes: tuple[Change, ...]

    @property
    def indicators(self) -> tuple[IndicatorRow, ...]:
        """In the order of the system."""
        return tuple(row for dimension in self.dimensions for row in dimension.indicators)


def frame_of(system: IndexSystem, values: Mapping[str, Any]) -> pd.DataFrame:
    """The one-row frame the values were stored from. A column may be left out only where nothing is in doubt."""
    columns: dict[str, Any] = {}
    for name in system.columns:
        in_doubt = name.endswith("_unknown") or name == "members_missing"
        value = values.get(name, 0) if in_doubt else values[name]
        if name in FEATURES and not FEATURES[name].is_number:
            columns[name] = pd.Series([value], dtype="boolean" if FEATURES[name].kind == "truth" else "object")
        else:
            columns[name] = pd.Series([value], dtype=income.NUMBER)
    return pd.DataFrame(columns)


def explain(system: IndexSystem, values: Mapping[str, Any]) -> Explanation:
    """Take one household's result apart. `values`: the stored value of each of `system.columns` (None is unknown)."""
    household = index.derive(frame_of(system, values))
    columns = Columns(household)
    verdict = index.judge(system, household).iloc[0]
    net, members = _whole(verdict["net_income"]), _whole(verdict["members"])
    score = None if pd.isna(verdict["score"]) else float(verdict["score"])

    def named(rules: tuple[index.NamedRule, ...]) -> tuple[NamedRow, ...]:
        rows = ((rule, _rule_row(rule.rule, columns, system)) for rule in rules)
        return tuple(NamedRow(rule.id, rule.label, row.state, row) for rule, row in rows)

    return Explanation(
        outcome=str(verdict["outcome"]),
        net_income=net,
        members=members,
        line=None if members is None else members * system.income_line,
        monitoring_line=None if members is None else members * system.monitoring_line,
        to_line=_whole(verdict["to_line"]),
        to_monitoring_line=_whole(verdict["to_monitoring_line"]),
        score=score,
        cutoff=float(system.cutoff),
        guarantee_gap=bool(verdict["guarantee_gap"]),
        excluded=bool(verdict["excluded"]),
        open_fields=tuple(filter(None, str(verdict["open_fields"]).split(","))),
        worksheet=tuple(income.explain_income({name: values[name] for name in income.PARTS})),
        dimensions=tuple(_dimension_row(dimension, columns, system, score) for dimension in system.dimensions),
        vetoes=named(system.vetoes),
        exclusions=named(system.exclusions),
        changes=tuple(_changes(system, household, str(verdict["outcome"]))),
    )


def _dimension_row(dimension: Dimension, columns: Columns, system: IndexSystem, score: float | None) -> DimensionRow:
    rows = []
    for indicator in dimension.indicators:
        rule = _rule_row(indicator.rule, columns, system)
        weight = system.weights[indicator.id]
        contribution = weight if rule.state else 0.0
        rows.append(
            IndicatorRow(indicator.id, indicator.label, dimension.label, weight, contribution, rule.state, rule)
        )
    contribution = sum(row.contribution for row in rows)
    share = contribution / score if score else None
    return DimensionRow(dimension.label, sum(row.weight for row in rows), contribution, share, tuple(rows))


def features_read(rule: RuleRow | ComparisonRow) -> tuple[str, ...]:
    """The features a rule compares, left to right, each once."""
    if isinstance(rule, ComparisonRow):
        return (rule.feature.name,)
    return tuple(dict.fromkeys(name for part in rule.parts for name in features_read(part)))


def _rule_row(rule: Rule, columns: Columns, system: IndexSystem) -> RuleRow | ComparisonRow:
    state = _state(evaluate(rule, columns, system))
    if isinstance(rule, Comparison):
        return _comparison_row(rule, columns, system, state)
    parts = tuple(_rule_row(part, columns, system) for part in rule.rules)
    return RuleRow("and" if isinstance(rule, AllOf) else "or", parts, state)


def _comparison_row(rule: Comparison, columns: Columns, system: IndexSystem, state: bool | None) -> ComparisonRow:
    feature, value = FEATURES[rule.field], _read(rule.field, columns)
    if isinstance(rule.value, bool):
        return ComparisonRow(feature, rule.operator, value, rule.value, None, None, None, None, state)
    if isinstance(rule.value, (str, tuple)):
        words = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        return ComparisonRow(feature, rule.operator, value, words, None, None, None, None, state)
    a, b, other = sides(rule, system)
    of_value = None if other is None else _read(other, columns)
    threshold: Fraction | None = Fraction(b, a)
    if other is not None:
        threshold = Fraction(b * of_value, a) if isinstance(of_value, int) else None
    distance = value - threshold if isinstance(value, int) and threshold is not None else None
    times = rule.value.times if isinstance(rule.value, Product) else None
    of = FEATURES[other] if other else None
    return ComparisonRow(feature, rule.operator, value, threshold, times, of, of_value, distance, state)


def _read(name: str, columns: Columns) -> Value:
    """The value as read: None unknown, a pair where a count is only known to lie between two figures."""
    if FEATURES[name].is_number:
        low, high, unknown = (part[0] for part in columns.range(name))
        if unknown:
            return None
        return int(low) if low == high else (int(low), int(high))
    value = columns.frame[name].iloc[0]
    if pd.isna(value):
        return None
    return bool(value) if FEATURES[name].kind == "truth" else str(value)


def _state(truth: Truth) -> bool | None:
    return True if truth.yes[0] else False if truth.no[0] else None


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _changes(system: IndexSystem, household: pd.DataFrame, outcome: str) -> list[Change]:
    """Every feature that alone would give another outcome: the nearest figure, or the answers, that do.

    An undetermined household needs its open fields first; members come and go by events, not by advice.
    """
    if outcome == index.UNDETERMINED:
        return []
    columns = Columns(household)
    trials = [(name, value) for name in system.features for value in _trial_values(name, system, columns)]
    if not trials:
        return []
    frame = household.loc[household.index.repeat(len(trials))].reset_index(drop=True)
    for row, (name, value) in enumerate(trials):
        frame.loc[row, name] = value
        if has_doubt(FEATURES[name]):
            frame.loc[row, f"{name}_unknown"] = 0
    outcomes = index.judge(system, frame)["outcome"].astype(str)
    found: dict[tuple[str, str], list[Value]] = {}
    for (name, value), result in zip(trials, outcomes, strict=True):
        if result not in (outcome, index.UNDETERMINED):
            found.setdefault((name, result), []).append(value)
    order = index.OUTCOMES.index
    return [
        _change(FEATURES[name], values, _read(name, columns), result, order(result) > order(outcome))
        for (name, result), values in found.items()
    ]


def _change(feature: Feature, values: list[Value], now: Value, outcome: str, better: bool) -> Change:
    if not feature.is_number or not isinstance(now, int):
        return Change(feature, tuple(values), None, outcome, better)
    nearest = min((value for value in values if isinstance(value, int)), key=lambda value: abs(value - now))
    return Change(feature, (nearest,), nearest - now, outcome, better)


def _trial_values(name: str, system: IndexSystem, columns: Columns) -> list[Value]:
    """Values of one feature on both sides of every threshold it meets in this household, its present value left out."""
    feature, now = FEATURES[name], _read(name, columns)
    if name in ("members", "transfer_income", *income.PARTS) or now is None:
        return []
    if feature.kind == "truth":
        return [not now]
    if feature.kind == "choice":
        return [word for word in feature.values if word != now]
    around: set[int] = set()
    for threshold in _thresholds(name, system, columns):
        floor = threshold.numerator // threshold.denominator
        around |= {floor - 1, floor, floor + 1}
    return [value for value in sorted(around) if value != now and (feature.minimum is None or value >= feature.minimum)]


def _thresholds(name: str, system: IndexSystem, columns: Columns) -> list[Fraction]:
    found = []
    for part in system.parts:
        for rule in comparisons(part.rule):
            if rule.field == name:
                row = _comparison_row(rule, columns, system, None)
                if isinstance(row.threshold, Fraction):
                    found.append(row.threshold)
    if name == "net_income":
        people = columns.range("members").low[0]
        found += [Fraction(int(people) * system.income_line), Fraction(int(people) * system.monitoring_line)]
    return found
