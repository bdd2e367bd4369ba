"""Figures of an area that add up: what an index version said of the households of a village, as sums.

Every figure of `Sums` is a sum over households, so that a township, a county and the city are sums over villages.
`measures` makes shares of them: Alkire-Foster and Foster-Greer-Thorbecke as households.domain.index defines them over
single households; a property test holds the two together. Definitions and a worked example: docs/figures.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from households.domain.features import FEATURES
from households.domain.index import ABSOLUTE, NOT_POOR, OUTCOMES, RELATIVE, UNDETERMINED
from households.domain.index_system import IndexSystem

# Rows of the table outcome x status (docs/figures.md): relative is split by why. Stored arrays follow these orders:
# a new word goes to the end, never between.
RELATIVE_LINE, RELATIVE_CUTOFF = "relative_line", "relative_cutoff"
CLASSES = (UNDETERMINED, ABSOLUTE, RELATIVE_LINE, RELATIVE_CUTOFF, NOT_POOR)
STATUSES = ("unregistered", "proposed", "registered", "exited", "monitored", "returned")
CAUSES = ("", *FEATURES["main_cause"].values)  # empty: no cause on the sheet


@dataclass(frozen=True)
class Sums:
    """What one version said of some households that are not closed. Persons are people on the card, members those who
    count in per-capita income; measures weigh by members. Judged: the outcome is not undetermined."""

    households: int = 0
    persons: int = 0
    undetermined: int = 0
    absolute: int = 0
    absolute_persons: int = 0
    relative: int = 0
    judged: int = 0
    members: int = 0  # of judged households, as all that follows
    poor: int = 0  # score reaches the cutoff
    poor_members: int = 0
    poor_score: float = 0.0  # sum of members x score among the poor
    below_line: int = 0
    below_line_members: int = 0
    below_monitoring: int = 0
    shortfall: int = 0  # sum of line x members - net income below the line, in fen
    squared_shortfall: float = 0.0  # sum of its square / members, fen^2 a member
    guarantee_gap: int = 0
    excluded: int = 0
    censored: tuple[int, ...] = ()  # members poor and deprived, by indicator
    by_status: tuple[int, ...] = ()  # households, CLASSES x STATUSES, row by row
    by_status_persons: tuple[int, ...] = ()
    by_cause: tuple[int, ...] = ()  # households, CLASSES x CAUSES

    def __add__(self, other: "Sums") -> "Sums":
        """Both together; only sums of one version can be added."""
        return Sums(**{name: _plus(getattr(self, name), getattr(other, name)) for name in NAMES})


NAMES = tuple(field.name for field in fields(Sums))
TABLES = ("censored", "by_status", "by_status_persons", "by_cause")
SCALARS = tuple(name for name in NAMES if name not in TABLES)


def _plus(one: Any, other: Any) -> Any:
    if not isinstance(one, tuple):
        return one + other
    if len(one) < len(other):
        one, other = other, one
    return tuple(a + (other[place] if place < len(other) else 0) for place, a in enumerate(one))


def count(results: pd.DataFrame, systems: Mapping[int, IndexSystem]) -> Iterator[tuple[int, int, Sums]]:
    """(village, version, sums) of a frame of results, one row per household, sorted by village.

    Columns: village_id, version_id, outcome, below_line, below_monitoring_line, reaches_cutoff, guarantee_gap,
    excluded, members, score and net_income (fen; NA only where undetermined), deprived (bits over the version's
    indicators), persons, status, main_cause (None: empty). Money adds up exactly; score and squared shortfall are
    binary fractions (relative error under 1e-12).
    """
    versions = results["version_id"].to_numpy("int64")
    for version in np.unique(versions).tolist():
        of_version = results[versions == version]
        villages = of_version["village_id"].to_numpy("int64")
        starts = np.flatnonzero(np.r_[True, villages[1:] != villages[:-1]])
        for village, sums in zip(villages[starts].tolist(), _sums(of_version, starts, systems[version]), strict=True):
            yield village, version, sums


def _sums(results: pd.DataFrame, starts: np.ndarray, system: IndexSystem) -> list[Sums]:
    """Of each village, all in one go; `starts` are the rows where villages begin."""
    outcome = pd.Categorical(results["outcome"], categories=list(OUTCOMES)).codes
    below, monitored = (results[name].to_numpy(bool) for name in ("below_line", "below_monitoring_line"))
    judged = outcome != OUTCOMES.index(UNDETERMINED)
    poor = results["reaches_cutoff"].to_numpy(bool) & judged
    below, monitored = below & judged, monitored & judged
    persons = results["persons"].to_numpy("int64")
    members = np.where(judged, results["members"].to_numpy("int64", na_value=0), 0)
    score = np.where(judged, results["score"].to_numpy("float64", na_value=0), 0)
    net = results["net_income"].to_numpy("int64", na_value=0)
    deprived = results["deprived"].to_numpy("int64")

    short = np.where(below, members * system.income_line - net, 0)
    of_class = _classes(outcome, monitored)
    status = pd.Categorical(results["status"], categories=list(STATUSES)).codes
    cause = pd.Categorical(results["main_cause"].fillna(""), categories=list(CAUSES)).codes
    cause = np.where(cause < 0, 0, cause)  # a word the list has lost since
    absolute = outcome == OUTCOMES.index(ABSOLUTE)
    values: dict[str, np.ndarray] = {
        "households": np.ones(len(results), bool),
        "persons": persons,
        "undetermined": ~judged,
        "absolute": absolute,
        "absolute_persons": persons * absolute,
        "relative": outcome == OUTCOMES.index(RELATIVE),
        "judged": judged,
        "members": members,
        "poor": poor,
        "poor_members": members * poor,
        "poor_score": members * score * poor,
        "below_line": below,
        "below_line_members": members * below,
        "below_monitoring": monitored,
        "shortfall": short,
        "squared_shortfall": short.astype("float64") ** 2 / np.where(members > 0, members, 1),
        "guarantee_gap": results["guarantee_gap"].to_numpy(bool) & judged,
        "excluded": results["excluded"].to_numpy(bool) & judged,
    }
    columns = {name: _by_village(each, starts).tolist() for name, each in values.items()}
    bits = [
        _by_village(members * (poor & ((deprived >> bit) & 1 == 1)), starts) for bit in range(len(system.indicators))
    ]
    columns["censored"] = [tuple(row) for row in np.column_stack(bits).tolist()]
    village = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(results)]))
    columns["by_status"] = _table(village, of_class, status, len(STATUSES))
    columns["by_status_persons"] = _table(village, of_class, status, len(STATUSES), persons)
    columns["by_cause"] = _table(village, of_class, cause, len(CAUSES))
    return [Sums(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _by_village(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values if values.dtype == np.float64 else values.astype("int64"), starts)


def _classes(outcome: np.ndarray, monitored: np.ndarray) -> np.ndarray:
    """The row of CLASSES for each household."""
    relative = np.where(monitored, CLASSES.index(RELATIVE_LINE), CLASSES.index(RELATIVE_CUTOFF))
    plain = np.array([CLASSES.index(word) if word in CLASSES else -1 for word in OUTCOMES])
    return np.where(outcome == OUTCOMES.index(RELATIVE), relative, plain[outcome])


def _table(
    village: np.ndarray, row: np.ndarray, column: np.ndarray, width: int, weight: np.ndarray | None = None
) -> list[tuple[int, ...]]:
    """Of each village counts (or sums of whole weights, exact below 2^53) of row x column, row by row."""
    size = len(CLASSES) * width
    cells = np.bincount((village * size + row * width + column), weights=weight, minlength=(village[-1] + 1) * size)
    return [tuple(each) for each in cells.astype("int64").reshape(-1, size).tolist()]


@dataclass(frozen=True)
class Measures:
    """Shares of an area. H, A, M0, `censored` (share of members poor and deprived) and `contributions` (sum 1; all 0
    when M0 is 0) by indicator id; headcount, gap, severity of incomes under the line."""

    members: int
    H: float
    A: float
    M0: float
    headcount: float
    gap: float
    severity: float
    censored: Mapping[str, float]
    contributions: Mapping[str, float]


def measures(parts: Iterable[tuple[IndexSystem, Sums]]) -> Measures | None:
    """The measures of an area from its sums by version; None where nobody was judged.

    Indicators of different versions are one when they have the same id: each keeps the weight of its own version.
    Source: docs/figures.md. With gap g = (line x members - net) / (line x members), members x g is shortfall / line
    and members x g^2 is squared shortfall / line^2.
    """
    known = [(system, sums) for system, sums in parts if sums.members]
    everyone = sum(sums.members for _system, sums in known)
    if not everyone:
        return None
    poor = sum(sums.poor_members for _system, sums in known)
    score = sum(sums.poor_score for _system, sums in known)
    censored: dict[str, float] = {}
    weighted: dict[str, float] = {}
    for system, sums in known:
        for (name, weight), people in zip(system.weights.items(), sums.censored, strict=True):
            censored[name] = censored.get(name, 0) + people
            weighted[name] = weighted.get(name, 0.0) + weight * people
    total = sum(weighted.values())
    return Measures(
        members=everyone,
        H=poor / everyone,
        A=score / poor if poor else 0.0,
        M0=score / everyone,
        headcount=sum(sums.below_line_members for _system, sums in known) / everyone,
        gap=sum(sums.shortfall / system.income_line for system, sums in known) / everyone,
        severity=sum(sums.squared_shortfall / system.income_line**2 for system, sums in known) / everyone,
        censored={name: people / everyone for name, people in censored.items()},
        contributions={name: part / total if total else 0.0 for name, part in weighted.items()},
    )


def differences(one: Sums, other: Sums) -> list[str]:
    """Names of the figures in which two counts of the same households differ (beyond the error of binary fractions)."""
    return [name for name in NAMES if not _same(getattr(one, name), getattr(other, name))]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return bool(np.isclose(one, other, rtol=1e-9, atol=1e-9))
    return bool(one == other)
