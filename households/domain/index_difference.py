"""How one index system differs from another: what was added, removed, changed. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from households.domain.index_rules import Label, Rule
from households.domain.index_system import Dimension, IndexSystem, Indicator, NamedRule

Kind = Literal["line", "dimension", "indicator", "veto", "exclusion"]
Side = Label | Fraction | int | Rule | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that differs. `name` is the part's label, or income_line, monitoring_line, cutoff; lines are in fen.

    `aspect` says what of a part that both have differs ("weight", "rule", "label", "dimension"); a part that only one
    has shows its rule on that side.
    """

    kind: Kind
    name: Label | str
    change: Literal["added", "removed", "changed"]
    aspect: str
    before: Side
    after: Side


def differences(before: IndexSystem, after: IndexSystem) -> list[Difference]:
    """What differs, lines first, then in the order of `after`; parts are the same when their ids are. Neither the name
    of the system nor the order of its parts counts."""
    found: list[Difference] = []
    for line in ("income_line", "monitoring_line", "cutoff"):
        old, new = getattr(before, line), getattr(after, line)
        if old != new:
            found.append(Difference("line", line, "changed", "", old, new))
    found += _dimensions(before.dimensions, after.dimensions)
    found += _indicators(before, after)
    found += _named("veto", before.vetoes, after.vetoes)
    found += _named("exclusion", before.exclusions, after.exclusions)
    return found


def _dimensions(before: tuple[Dimension, ...], after: tuple[Dimension, ...]) -> Iterator[Difference]:
    old = {dimension.id: dimension for dimension in before}
    for dimension in after:
        was = old.pop(dimension.id, None)
        if was is None:
            yield Difference("dimension", dimension.label, "added", "", None, None)
        elif was.label != dimension.label:
            yield Difference("dimension", dimension.label, "changed", "label", was.label, dimension.label)
    for gone in old.values():
        yield Difference("dimension", gone.label, "removed", "", None, None)


def _indicators(before: IndexSystem, after: IndexSystem) -> Iterator[Difference]:
    old = {each.id: (dimension, each) for dimension in before.dimensions for each in dimension.indicators}
    for dimension in after.dimensions:
        for indicator in dimension.indicators:
            within, was = old.pop(indicator.id, (None, None))
            if within is None or was is None:
                yield Difference("indicator", indicator.label, "added", "", None, indicator.rule)
                yield Difference("indicator", indicator.label, "added", "weight", None, indicator.weight)
                continue
            yield from _changed("indicator", was, indicator)
            if was.weight != indicator.weight:
                yield Difference("indicator", indicator.label, "changed", "weight", was.weight, indicator.weight)
            if within.id != dimension.id:
                yield Difference("indicator", indicator.label, "changed", "dimension", within.label, dimension.label)
    for _within, gone in old.values():
        yield Difference("indicator", gone.label, "removed", "", gone.rule, None)


def _named(kind: Kind, before: tuple[NamedRule, ...], after: tuple[NamedRule, ...]) -> Iterator[Difference]:
    old = {part.id: part for part in before}
    for part in after:
        was = old.pop(part.id, None)
        if was is None:
            yield Difference(kind, part.label, "added", "", None, part.rule)
        else:
            yield from _changed(kind, was, part)
    for gone in old.values():
        yield Difference(kind, gone.label, "removed", "", gone.rule, None)


def _changed(kind: Kind, was: Indicator | NamedRule, part: Indicator | NamedRule) -> Iterator[Difference]:
    if was.label != part.label:
        yield Difference(kind, part.label, "changed", "label", was.label, part.label)
    if was.rule != part.rule:
        yield Difference(kind, part.label, "changed", "rule", was.rule, part.rule)
