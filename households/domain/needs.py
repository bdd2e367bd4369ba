"""Needs and wishes a household names, by kind; the kinds are data (reference/need_kinds.csv)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Need:
    """How pressing a need of one kind is, and what it is about in the household's own words."""

    urgency: str
    detail: str = ""


# kind -> need; a kind that is missing was not named.
Needs = Mapping[str, Need]


@dataclass(frozen=True, slots=True)
class NeedsChange:
    """What a writer wants to stand, and what stood there when the writer began: the version (None: not known)."""

    needs: Needs
    base: Needs | None


@cache
def need_kinds() -> Mapping[str, str]:
    """Kind -> its Chinese name, in the order of the form."""
    with (files("households") / "reference" / "need_kinds.csv").open(encoding="utf-8") as lines:
        return {row["kind"]: row["label"] for row in csv.DictReader(lines)}


def merge_needs(base: Needs, theirs: Needs, mine: Needs) -> tuple[dict[str, Need], list[str]]:
    """The needs with the changes of both, and the kinds both changed differently (there, theirs stand for now)."""
    merged, clashing = {}, []
    for kind in need_kinds():
        was, other, own = base.get(kind), theirs.get(kind), mine.get(kind)
        if own != was and other not in (was, own):
            clashing.append(kind)
        kept = other if own == was or kind in clashing else own
        if kept is not None:
            merged[kind] = kept
    return merged, clashing
