"""Figures of an area and of the divisions one step down: households, registered and poor people, incidence.

Incidence by domain: registered = persons in registered, not exited households / rural persons of the village card;
computed = persons in `absolute` households / persons on cards. Definitions and an example by hand: docs/figures.md.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from redis.exceptions import RedisError

from changde.accounts.areas import covers, ranges_of
from changde.accounts.models import User
from changde.bulk import run_sql
from changde.divisions.codes import Level, ancestor, code_range, level_of
from changde.divisions.models import Division
from households.models import IndexVersion, TownshipPointer, VillageCard

_SQL = Path(__file__).parent.parent / "sql" / "figures.sql"
_SPAN = {Level.CITY: 10**6, Level.COUNTY: 10**3, Level.TOWNSHIP: 1, Level.VILLAGE: 1}
# Counting the cards of a city takes a second, of a county half of one: their figures may be a minute old and say so.
CACHED_LEVELS = (Level.CITY, Level.COUNTY)
CACHE_SECONDS = 60


@dataclass(frozen=True)
class Figures:
    """One division's figures. Counts of households unless the name says persons."""

    households: int = 0
    persons: int = 0
    registered: int = 0
    registered_persons: int = 0
    registered_with_village_card: int = 0  # persons; those in villages that have a village card
    rural_persons: int | None = None
    villages_without_card: int = 0
    judged: int = 0
    absolute: int = 0
    absolute_persons: int = 0
    relative: int = 0
    undetermined: int = 0
    stale: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        """Figures of two areas together; unknown only where both are."""
        values: dict[str, Any] = {}
        for field in fields(self):
            known = [value for value in (getattr(self, field.name), getattr(other, field.name)) if value is not None]
            values[field.name] = sum(known) if known else None
        return Figures(**values)

    @property
    def registered_incidence(self) -> float | None:
        """None where no village of the area has a village card."""
        return self.registered_with_village_card / self.rural_persons if self.rural_persons else None

    @property
    def computed_incidence(self) -> float | None:
        """None before the first computation, and without people."""
        return self.absolute_persons / self.persons if self.persons and self.judged else None


@dataclass(frozen=True)
class Row:
    """A division one step down."""

    division: Division
    figures: Figures


@dataclass(frozen=True)
class Step:
    """A division on the way down; `own`: inside the person's posts, so that it can be opened."""

    division: Division
    own: bool


@dataclass(frozen=True)
class AreaFigures:
    """A division with its figures and those one step down. `before` is the year before, where it was computed."""

    division: Division
    way: list[Step]
    year: int | None
    years: list[int]
    figures: Figures
    before: Figures | None
    rows: list[Row]
    versions: list[str]
    as_of: datetime


def area_for(user: User, chosen: int | None) -> int | None:
    """Where the city page opens: the division worked in when its figures may be read, else the first that may."""
    if chosen is not None and covers(user, "read_figures", chosen):
        return chosen
    return next((first for first, _last in ranges_of(user, "read_figures")), None)


def area_figures(user: User, code: int, year: int | None = None) -> AreaFigures:
    """Figures of `code` in an accounting year (default: the latest). 404 outside the person's posts."""
    if not covers(user, "read_figures", code):
        raise Http404
    division = get_object_or_404(Division, code=code)
    years = _years(code)
    chosen = year if year in years else next(iter(years), None)
    counted, as_of = _counted(code, chosen)
    below = [] if division.level == Level.VILLAGE else Division.objects.current().filter(parent=division)
    return AreaFigures(
        division=division,
        way=[Step(step, covers(user, "read_figures", step.code)) for step in division.path()],
        year=chosen,
        years=years,
        figures=_sum(counted),
        before=_sum(_counted(code, chosen - 1)[0]) if chosen is not None and chosen - 1 in years else None,
        rows=[Row(one, counted.get(one.code, Figures())) for one in sorted(below, key=lambda one: one.code)],
        versions=_versions(code, chosen),
        as_of=as_of,
    )


def _sum(counted: dict[int, Figures]) -> Figures:
    return sum(counted.values(), Figures())


def _years(code: int) -> list[int]:
    """Years that were computed in the area or have village cards, the latest first."""
    first, last = code_range(code)
    pointers = TownshipPointer.objects.filter(township__gte=ancestor(first, Level.TOWNSHIP), township__lte=last)
    cards = VillageCard.objects.within(code).order_by().values_list("year", flat=True)
    return sorted({*pointers.values_list("year", flat=True), *cards.distinct()}, reverse=True)


def _versions(code: int, year: int | None) -> list[str]:
    """Names of the versions in force: the county's own where it has one, else the city's; in a city all of them."""
    first, last = code_range(code)
    below = Q(division__gte=first, division__lte=last)
    found = list(
        IndexVersion.objects.in_force()
        .filter(below | Q(division=ancestor(code, Level.COUNTY)) | Q(division=None), year=year)
        .order_by("division")
    )
    own = [version for version in found if version.division_id]
    return [str(version) for version in (own if own and level_of(code) > Level.CITY else found)]


def _counted(code: int, year: int | None) -> tuple[dict[int, Figures], datetime]:
    """Figures by division one step down, and when they were counted."""
    if level_of(code) not in CACHED_LEVELS:
        return _count(code, year)
    key = f"figures:{code}:{year}"
    try:
        return cache.get_or_set(key, lambda: _count(code, year), CACHE_SECONDS)  # type: ignore[return-value]
    except RedisError:
        return _count(code, year)


def _count(code: int, year: int | None) -> tuple[dict[int, Figures], datetime]:
    first, last = code_range(code)
    rows = run_sql(_SQL, {"first": first, "last": last, "span": _SPAN[level_of(code)], "year": year or 0})
    return {row.pop("code"): Figures(**row) for row in rows}, timezone.now()
