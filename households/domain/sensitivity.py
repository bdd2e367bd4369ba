"""How much hangs on each figure of an index: outcomes that change when one line, the cutoff or one weight moves.

Rules are answered once; a moved weight or cutoff only decides anew, a moved line answers anew the rules that read it.
That is exact, not an estimate: the same as judging with the changed system. Definitions: docs/trial.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pandas as pd

from households.domain.index import ABSOLUTE, OUTCOMES, RELATIVE, UNDETERMINED, Answers, answers, decide
from households.domain.index_rules import LINES, Columns, Product, Truth, comparisons, evaluate
from households.domain.index_system import IndexSystem, Indicator, NamedRule

SHARE = Fraction(1, 20)
_ABSOLUTE, _RELATIVE, _UNDETERMINED = (OUTCOMES.index(name) for name in (ABSOLUTE, RELATIVE, UNDETERMINED))


@dataclass(frozen=True, slots=True)
class Variation:
    """The system with one figure moved. kind: income_line, monitoring_line, cutoff or weight (of `indicator`)."""

    kind: str
    indicator: str
    up: bool
    system: IndexSystem

    @property
    def key(self) -> str:
        """income_line.up, weight.illness.down"""
        return ".".join(part for part in (self.kind, self.indicator, "up" if self.up else "down") if part)


def variations(system: IndexSystem, share: Fraction = SHARE) -> list[Variation]:
    """Each figure moved down and up by `share` of itself, each alone.

    Lines are rounded to the fen; the cutoff stays within 1. When a weight moves, the others are scaled so that the sum
    stays 1; a single indicator has the whole weight and cannot move.
    """
    found = []
    for up in (False, True):
        factor = 1 + share if up else 1 - share
        for line in LINES:
            moved = round(getattr(system, line) * factor)
            found.append(Variation(line, "", up, replace(system, **{line: moved})))
        found.append(Variation("cutoff", "", up, replace(system, cutoff=min(system.cutoff * factor, Fraction(1)))))
        if len(system.indicators) > 1:
            found += [
                Variation("weight", indicator.id, up, _reweighted(system, indicator.id, factor))
                for indicator in system.indicators
            ]
    return found


def _reweighted(system: IndexSystem, name: str, factor: Fraction) -> IndexSystem:
    total = sum((indicator.weight for indicator in system.indicators), start=Fraction(0))
    own = next(indicator.weight / total for indicator in system.indicators if indicator.id == name)
    moved = min(own * factor, Fraction(1))
    others = (1 - moved) / (1 - own)

    def weighted(indicator: Indicator) -> Indicator:
        return replace(indicator, weight=moved if indicator.id == name else indicator.weight / total * others)

    return replace(
        system,
        dimensions=tuple(
            replace(dimension, indicators=tuple(map(weighted, dimension.indicators))) for dimension in system.dimensions
        ),
    )


def changes(system: IndexSystem, households: pd.DataFrame) -> dict[str, dict[str, int]]:
    """What each variation changes, by its key; whole numbers that add up over townships.

    `households` is a derived frame (`index.derive`) with the system's columns. households, persons: whose outcome is
    another; absolute_in, absolute_out, poor_in, poor_out: households that become (are no longer) absolutely poor, or
    poor in any way, among those both decide.
    """
    columns = Columns(households)
    said = answers(system, columns)
    now = decide(system, said).outcome
    people = np.where(said.people.unknown, 0, said.people.low)
    return {
        each.key: _counted(now, decide(each.system, _answers_of(each, system, said, columns)).outcome, people)
        for each in variations(system)
    }


def _answers_of(variation: Variation, system: IndexSystem, said: Answers, columns: Columns) -> Answers:
    """The answers of the changed system: those of rules that read a moved line are worked out anew."""
    if variation.kind not in LINES:
        return said

    def again(parts: tuple[Indicator | NamedRule, ...], known: tuple[Truth, ...]) -> tuple[Truth, ...]:
        return tuple(
            evaluate(part.rule, columns, variation.system) if _reads(part, variation.kind) else truth
            for part, truth in zip(parts, known, strict=True)
        )

    return said._replace(
        deprivations=again(system.indicators, said.deprivations),
        missing=again(system.vetoes, said.missing),
        excluded=again(system.exclusions, said.excluded),
    )


def _reads(part: Indicator | NamedRule, line: str) -> bool:
    values = (comparison.value for comparison in comparisons(part.rule))
    return any(isinstance(value, Product) and value.times == line for value in values)


def _counted(before: np.ndarray, after: np.ndarray, people: np.ndarray) -> dict[str, int]:
    other = before != after
    decided = (before != _UNDETERMINED) & (after != _UNDETERMINED)
    absolute = (before == _ABSOLUTE, after == _ABSOLUTE)
    poor = tuple((side == _ABSOLUTE) | (side == _RELATIVE) for side in (before, after))
    return {
        "households": int(other.sum()),
        "persons": int(people[other].sum()),
        "absolute_in": int((decided & ~absolute[0] & absolute[1]).sum()),
        "absolute_out": int((decided & absolute[0] & ~absolute[1]).sum()),
        "poor_in": int((decided & ~poor[0] & poor[1]).sum()),
        "poor_out": int((decided & poor[0] & ~poor[1]).sum()),
    }


def add_up(parts: list[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """The changes of an area from those of its townships."""
    whole: dict[str, dict[str, int]] = {}
    for part in parts:
        for key, counts in part.items():
            into = whole.setdefault(key, dict.fromkeys(counts, 0))
            for name, number in counts.items():
                into[name] += number
    return whole
