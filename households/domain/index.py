"""The identification an index system decides, and the Alkire-Foster and FGT measures of an area.

Definitions and a worked example: docs/identification.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from households.domain import income
from households.domain.features import FEATURES, MEMBER_FIELDS
from households.domain.index_rules import Columns, Range, Truth, blame, evaluate, integers
from households.domain.index_system import IndexSystem, Indicator, NamedRule

UNDETERMINED, ABSOLUTE, RELATIVE, NOT_POOR = OUTCOMES = ("undetermined", "absolute", "relative", "not_poor")

# A score reaches the cutoff when it is within this of it: sums of weights such as 1/3 are not exact in binary.
SCORE_TOLERANCE = 1e-6
AREA_WEIGHT_TOLERANCE = 1e-3


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
        blame(judged, few, system, everybody, open_)
    for part in system.exclusions:
        blame(part.rule, few, system, exclusion.unknown[rows], open_)
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
    missing, _ = integers(columns.frame["members_missing"])

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
