"""Figures of an area and of the divisions one step down: households, incidence, Alkire-Foster, FGT, tables, trend.

Only rows kept per village are read (households.services.figures), no card and no result. Incidence by domain:
registered = persons in registered, not exited households / rural persons of the village card; computed = persons in
`absolute` households / persons on cards. Definitions and an example by hand: docs/figures.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Aggregate, BigIntegerField, Case, Count, F, Sum, When
from django.http import Http404
from django.shortcuts import get_object_or_404

from changde.accounts.areas import covers, ranges_of
from changde.accounts.models import User
from changde.bulk import run_sql
from changde.divisions.codes import Level, ancestor, code_range, level_of
from changde.divisions.models import Division
from households.domain.figures import CAUSES, CLASSES, SCALARS, STATUSES, TABLES, Measures, Sums, measures
from households.domain.index_system import IndexSystem, Indicator
from households.models import IndexVersion, Result, TownshipPointer, VillageCard, VillageFigures
from households.services.figures import bring_up_to_date

_SQL = Path(__file__).parent.parent / "sql" / "figures.sql"
_STEPS_SQL = Path(__file__).parent.parent / "sql" / "figures_before_version.sql"
_SPAN = {Level.CITY: 10**6, Level.COUNTY: 10**3, Level.TOWNSHIP: 1, Level.VILLAGE: 1}
MANY_STALE = 1000  # stale results are counted up to here
_SIZES = {"by_status": len(CLASSES) * len(STATUSES), "by_cause": len(CLASSES) * len(CAUSES)}
_SIZES["by_status_persons"] = _SIZES["by_status"]


@dataclass(frozen=True)
class Figures:
    """One division's figures. Counts of households unless the name says persons. `said`: results by index version."""

    households: int = 0
    persons: int = 0
    registered: int = 0
    registered_persons: int = 0
    registered_with_village_card: int = 0  # persons; those in villages that have a village card
    rural_persons: int | None = None
    villages_without_card: int = 0
    said: Mapping[int, Sums] = field(default_factory=dict)

    def __add__(self, other: "Figures") -> "Figures":
        """Figures of two areas together; rural persons unknown only where both are."""
        known = [persons for persons in (self.rural_persons, other.rural_persons) if persons is not None]
        said = dict(self.said)
        for version, sums in other.said.items():
            said[version] = said.get(version, Sums()) + sums
        return Figures(
            self.households + other.households,
            self.persons + other.persons,
            self.registered + other.registered,
            self.registered_persons + other.registered_persons,
            self.registered_with_village_card + other.registered_with_village_card,
            sum(known) if known else None,
            self.villages_without_card + other.villages_without_card,
            said,
        )

    @property
    def total(self) -> Sums:
        """What all versions said together: for counts of households and people, never for what a weight stands in."""
        return sum(self.said.values(), Sums())

    @property
    def judged(self) -> int:
        """Households with a result, also an undetermined one."""
        return sum(sums.households for sums in self.said.values())

    @property
    def absolute(self) -> int:
        return sum(sums.absolute for sums in self.said.values())

    @property
    def absolute_persons(self) -> int:
        return sum(sums.absolute_persons for sums in self.said.values())

    @property
    def relative(self) -> int:
        return sum(sums.relative for sums in self.said.values())

    @property
    def undetermined(self) -> int:
        return sum(sums.undetermined for sums in self.said.values())

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
    """A division in the comparison, with its measures."""

    division: Division
    figures: Figures
    measures: Measures | None


@dataclass(frozen=True)
class Step:
    """A division on the way down; `own`: inside the person's posts, so that it can be opened."""

    division: Division
    own: bool


@dataclass(frozen=True)
class IndicatorFigures:
    """An indicator of the versions that judged the area; weights where versions differ in it."""

    indicator: Indicator
    dimension: Any
    weights: tuple[float, ...]
    censored: float
    contribution: float


@dataclass(frozen=True)
class Change:
    """Villages that another version judges now: what the earlier one said last of them, and what is said now."""

    version: IndexVersion
    villages: int
    before: Measures | None
    after: Measures | None


@dataclass(frozen=True)
class YearFigures:
    """One accounting year of the trend. `absolute`: people in absolute households / people with a result."""

    year: int
    judged: int
    absolute: float | None
    measures: Measures | None
    versions: tuple[IndexVersion, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class AreaFigures:
    """A division with its figures, those one step down and its years.

    `before` is the year before, where it was computed. `parent` and `sisters` (the parent's divisions, this one among
    them) only where the person's posts cover the parent. `versions`: with the households each judged.
    """

    division: Division
    way: list[Step]
    year: int | None
    years: list[int]
    figures: Figures
    measures: Measures | None
    before: Figures | None
    rows: list[Row]
    sisters: list[Row]
    parent: Row | None
    indicators: list[IndicatorFigures]
    trend: list[YearFigures]
    versions: list[tuple[IndexVersion, int]]
    stale: int
    as_of: datetime
    waiting: int


def area_for(user: User, chosen: int | None) -> int | None:
    """Where the city page opens: the division worked in when its figures may be read, else the first that may."""
    if chosen is not None and covers(user, "read_figures", chosen):
        return chosen
    return next((first for first, _last in ranges_of(user, "read_figures")), None)


def area_figures(user: User, code: int, year: int | None = None, *, capability: str = "read_figures") -> AreaFigures:
    """Figures of `code` in an accounting year (default: the latest). 404 outside the person's posts.

    Where few villages have changed since they were counted, they are counted now.
    """
    if not covers(user, capability, code):
        raise Http404
    division = get_object_or_404(Division, code=code)
    standing = bring_up_to_date(area=code)
    years = _years(code)
    chosen = year if year in years else next(iter(years), None)
    way = [Step(step, covers(user, capability, step.code)) for step in division.path()]
    above = next((step.division for step in reversed(way[:-1]) if step.own), None)

    said, by_year = _results(code, chosen)
    steps = run_sql(_STEPS_SQL, dict(zip(("first", "last"), code_range(code), strict=True)))
    beside = _results(above.code, chosen, only=True)[0] if above else {}
    versions = _versions(_named(by_year, steps) | {version for of in beside.values() for version in of})
    systems = {pk: version.system for pk, version in versions.items()}

    below = _with_results(_cards(code, chosen), said)
    total = _with_tables(sum(below.values(), Figures()), _tables(code, chosen, systems))
    found = measures((systems[version], sums) for version, sums in total.said.items())
    around = _with_results(_cards(above.code, chosen), beside) if above else {}
    return AreaFigures(
        division=division,
        way=way,
        year=chosen,
        years=years,
        figures=total,
        measures=found,
        before=_before(by_year, chosen),
        rows=[] if division.level == Level.VILLAGE else [_row(one, below, systems) for one in _below(division)],
        sisters=[_row(one, around, systems) for one in _below(above)] if above else [],
        parent=_row(above, {above.code: sum(around.values(), Figures())}, systems) if above else None,
        indicators=_indicators(systems, total.said, found),
        trend=_trend(by_year, steps, versions, systems),
        versions=[(versions[pk], sums.households) for pk, sums in sorted(total.said.items())],
        stale=_stale(code, chosen),
        as_of=standing.as_of,
        waiting=standing.waiting,
    )


def _below(division: Division) -> list[Division]:
    return sorted(Division.objects.current().filter(parent=division), key=lambda one: one.code)


def _row(division: Division, figures: Mapping[int, Figures], systems: Mapping[int, IndexSystem]) -> Row:
    of = figures.get(division.code, Figures())
    return Row(
        division, of, measures((systems[version], _shape(systems[version], s)) for version, s in of.said.items())
    )


def _shape(system: IndexSystem, sums: Sums) -> Sums:
    """Sums whose tables were not read: measures ask for one censored headcount an indicator."""
    return sums if sums.censored else sums + Sums(censored=(0,) * len(system.indicators))


def _years(code: int) -> list[int]:
    """Years that were computed in the area or have village cards, the latest first."""
    first, last = code_range(code)
    pointers = TownshipPointer.objects.filter(township__gte=ancestor(first, Level.TOWNSHIP), township__lte=last)
    cards = VillageCard.objects.within(code).order_by().values_list("year", flat=True)
    return sorted({*pointers.values_list("year", flat=True), *cards.distinct()}, reverse=True)


def _cards(code: int, year: int | None) -> dict[int, Figures]:
    """Households, people and registered ones by division one step down."""
    first, last = code_range(code)
    rows = run_sql(_SQL, {"first": first, "last": last, "span": _SPAN[level_of(code)], "year": year or 0})
    return {row.pop("code"): Figures(**row) for row in rows}


Said = dict[int, dict[int, Sums]]


def _results(code: int, year: int | None, *, only: bool = False) -> tuple[Said, Said]:
    """What was said: in the chosen year by division one step down and version, and of each year by year and version.

    Without the tables; `only`: no other year.
    """
    span = _SPAN[level_of(code)]
    rows = VillageFigures.objects.within(code).filter(current=True)
    place = Case(When(year=year or 0, then=F("village_id") / span * span), default=0, output_field=BigIntegerField())
    sums = (rows.filter(year=year or 0) if only else rows).order_by().values_list("year", place, "version_id")
    below: Said = {}
    by_year: Said = {}
    for of_year, place_code, version, *figures in sums.annotate(**{f"sum_{name}": Sum(name) for name in SCALARS}):
        found = Sums(**dict(zip(SCALARS, figures, strict=True)))
        if place_code:
            below.setdefault(place_code, {})[version] = found
        of = by_year.setdefault(of_year, {})
        of[version] = of.get(version, Sums()) + found
    return below, by_year


def _with_results(cards: Mapping[int, Figures], said: Said) -> dict[int, Figures]:
    return {
        code: cards.get(code, Figures()) + Figures(said=said.get(code, {}))
        for code in sorted(cards.keys() | said.keys())
    }


class SumEach(Aggregate):
    """The sum of every element of an array column: as an array of `size`."""

    def __init__(self, column: str, size: int):
        super().__init__(column, output_field=ArrayField(BigIntegerField()))
        self.size = size

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        column, parameters = compiler.compile(self.get_source_expressions()[0])
        parts = ", ".join(f"coalesce(sum({column}[{place}]), 0)" for place in range(1, self.size + 1))
        return f"ARRAY[{parts}]", tuple(parameters) * self.size


def _tables(code: int, year: int | None, systems: Mapping[int, IndexSystem]) -> dict[int, dict[str, tuple[int, ...]]]:
    """The tables of the area in the year by version."""
    if year is None or not systems:
        return {}
    sizes = _SIZES | {"censored": max(len(system.indicators) for system in systems.values())}
    rows = VillageFigures.objects.within(code).filter(current=True, year=year).order_by().values_list("version_id")
    found = {}
    for version, *tables in rows.annotate(**{f"sum_{name}": SumEach(name, sizes[name]) for name in TABLES}):
        sums = dict(zip(TABLES, map(tuple, tables), strict=True))
        sums["censored"] = sums["censored"][: len(systems[version].indicators)]
        found[version] = sums
    return found


def _with_tables(figures: Figures, tables: Mapping[int, Mapping[str, tuple[int, ...]]]) -> Figures:
    said = {version: Sums(**vars(sums) | dict(tables.get(version, {}))) for version, sums in figures.said.items()}
    return Figures(**vars(figures) | {"said": said})


def _before(by_year: Said, year: int | None) -> Figures | None:
    """The year before, its results alone."""
    return Figures(said=by_year[year - 1]) if year is not None and year - 1 in by_year else None


def _named(by_year: Said, steps: Iterable[Mapping[str, Any]]) -> set[int]:
    return {version for of in by_year.values() for version in of} | {row["version_id"] for row in steps}


def _versions(pks: set[int]) -> dict[int, IndexVersion]:
    return IndexVersion.objects.select_related("division").in_bulk(sorted(pks)) if pks else {}


def _indicators(
    systems: Mapping[int, IndexSystem], said: Mapping[int, Sums], found: Measures | None
) -> list[IndicatorFigures]:
    """The indicators of the versions that judged the area, in the order of the first that has them."""
    if found is None:
        return []
    seen: dict[str, tuple[Indicator, Any]] = {}
    weights: dict[str, dict[float, None]] = {}
    for version in said:
        for dimension in systems[version].dimensions:
            for indicator in dimension.indicators:
                seen.setdefault(indicator.id, (indicator, dimension.label))
                weights.setdefault(indicator.id, {})[systems[version].weights[indicator.id]] = None
    return [
        IndicatorFigures(
            indicator,
            dimension,
            tuple(sorted(weights[name])),
            found.censored.get(name, 0.0),
            found.contributions.get(name, 0.0),
        )
        for name, (indicator, dimension) in seen.items()
    ]


def _trend(
    by_year: Said,
    steps: list[dict[str, Any]],
    versions: Mapping[int, IndexVersion],
    systems: Mapping[int, IndexSystem],
) -> list[YearFigures]:
    """Year by year, the latest first; in each the changes of version, told over the villages they concern."""

    def measured(said: Iterable[tuple[int, Sums]]) -> Measures | None:
        return measures((systems[version], _shape(systems[version], sums)) for version, sums in said)

    years = []
    for year, said in sorted(by_year.items(), reverse=True):
        total = sum(said.values(), Sums())
        changes = []
        for version in sorted({row["before_id"] for row in steps if row["year"] == year}):
            of = [row for row in steps if row["before_id"] == version and row["year"] == year]
            old = [(row["version_id"], _step_sums(row)) for row in of if not row["current"]]
            new = [(row["version_id"], _step_sums(row)) for row in of if row["current"]]
            villages = sum(row["villages"] for row in of if not row["current"])
            changes.append(Change(versions[version], villages, measured(old), measured(new)))
        years.append(
            YearFigures(
                year,
                total.households,
                total.absolute_persons / total.persons if total.persons else None,
                measured(said.items()),
                tuple(versions[version] for version in sorted(said)),
                tuple(changes),
            )
        )
    return years


_STEP_COLUMNS = (
    "households", "judged", "members", "poor_members", "poor_score", "below_line_members", "shortfall",
    "squared_shortfall",
)  # fmt: skip


def _step_sums(row: Mapping[str, Any]) -> Sums:
    return Sums(**{name: row[name] for name in _STEP_COLUMNS})


def _stale(code: int, year: int | None) -> int:
    """Results of the year that are behind their card, up to MANY_STALE."""
    stale = Result.objects.within(code).filter(year=year or 0, stale=True).current().order_by()
    return stale[:MANY_STALE].aggregate(count=Count("pk"))["count"]
