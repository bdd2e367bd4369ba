"""Figures kept per village: counted with a run, counted anew where something changed, checked at night.

Triggers leave a mark with every change of what is counted (migration 0141). Who counts holds the township's lock of
figures, takes away the marks it sees and counts after that: a change that commits later leaves a mark of its own. So
a row without a mark equals a count from the tables, and a marked one says since when it does not.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

import pandas as pd
from django.db import connection, transaction
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils import timezone

from changde.accounts.areas import between
from changde.audit.services import record
from changde.bulk.copy import copy_in
from changde.divisions.codes import Level, ancestor, code_range
from households import frames
from households.domain.figures import NAMES, Sums, count, differences
from households.domain.index_system import IndexSystem
from households.models import (
    CardCount,
    FiguresMark,
    Household,
    HouseholdStatus,
    IndexRun,
    IndexVersion,
    TownshipPointer,
    VillageFigures,
)

AT_ONCE = 3  # marked villages a reader counts; more wait for the beat, and the page says since when its figures stand

Key = tuple[int, int]  # village and version


@dataclass(frozen=True)
class Standing:
    """How fresh an area's figures are: right as of `as_of`; `waiting` villages have changed since."""

    as_of: datetime
    waiting: int


def bring_up_to_date(*, area: int) -> Standing:
    """Count the area's marked villages anew where they are few; says how fresh its figures are then."""
    marks = FiguresMark.objects.within(area)
    pairs = list(marks.order_by().values_list("village_id", "year").distinct()[: AT_ONCE + 1])
    if pairs and len(pairs) <= AT_ONCE:
        _count_pairs(pairs, wait=False)
    elif not pairs:
        return Standing(timezone.now(), 0)
    left = marks.aggregate(since=Min("at"), villages=Count("village", distinct=True))
    return Standing(left["since"] or timezone.now(), left["villages"])


def count_marked(*, area: int | None = None) -> int:
    """Count every marked village anew, a township at a time; returns how many (village, year)."""
    marks = FiguresMark.objects.all() if area is None else FiguresMark.objects.within(area)
    pairs = list(marks.order_by().values_list("village_id", "year").distinct())
    _count_pairs(pairs, wait=True)
    return len(pairs)


def _count_pairs(pairs: Iterable[tuple[int, int]], *, wait: bool) -> None:
    by_township: dict[tuple[int, int], list[int]] = defaultdict(list)
    for village, year in pairs:
        by_township[ancestor(village, Level.TOWNSHIP), year].append(village)
    for (township, year), villages in sorted(by_township.items()):
        with transaction.atomic():
            if not _lock(township, year, wait=wait):
                continue  # somebody else counts it in this moment
            _count(township, year, villages)


def _count(township: int, year: int, villages: Sequence[int] | None) -> None:
    if year == FiguresMark.CARDS:
        _count_cards(township, villages)
    else:
        _count_results(township, year, villages)


def marks_taken(*, townships: Sequence[int], year: int) -> list[int]:
    """Begin to count townships (in the order of their codes) from cards read after this: nobody else counts them until
    the transaction ends. The marks there are; what changes after the cards are read leaves another one."""
    with connection.cursor() as cursor:
        keys = [_key(township, year) for township in townships]
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) key", [keys])
    return list(FiguresMark.objects.filter(_of_townships(townships), year=year).values_list("pk", flat=True))


def keep_run(
    *,
    townships: Sequence[int],
    run: IndexRun,
    version: IndexVersion,
    system: IndexSystem,
    results: pd.DataFrame,
    marks: list[int],
) -> None:
    """Part of a transaction that shows a run's results of townships: count all their villages from what is at hand.

    `results` has the columns of domain.figures.count, of cards read after `marks_taken` told the marks.
    """
    here = _of_townships(townships)
    if marks:
        FiguresMark.objects.filter(here, pk__in=marks).delete()
    found = count(results, {version.pk: system}) if len(results) else ()
    sums = {(village, of_version): each for village, of_version, each in found}
    _keep(here, run.year, sums, run.pk)


def _of_townships(townships: Sequence[int]) -> Q:
    return reduce(or_, (between("village_id", *code_range(township)) for township in townships))


def _key(township: int, year: int) -> int:
    return township * 10_000 + year


def _lock(township: int, year: int, *, wait: bool) -> bool:
    """Until the end of the transaction nobody else counts this township and year."""
    key = _key(township, year)
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
        return bool(cursor.fetchone()[0])


def _villages(township: int, villages: Collection[int] | None, path: str = "village_id") -> Q:
    return between(path, *code_range(township)) if villages is None else Q(**{f"{path}__in": villages})


def _count_results(township: int, year: int, villages: Sequence[int] | None) -> None:
    here = _villages(township, villages)
    FiguresMark.objects.filter(here, year=year).delete()
    counted, run = _counted(township, year, villages)
    _keep(here, year, counted, run)


def _keep(here: Q, year: int, counted: dict[Key, Sums], run: int) -> None:
    current = VillageFigures.objects.filter(here, year=year, current=True)
    _keep_before_new_version(current, counted)
    current.delete()
    copy_in(
        VillageFigures,
        ("village_id", "version_id", "year", "run_id", "current", *NAMES),
        (
            (village, version, year, run, True, *(getattr(sums, name) for name in NAMES))
            for (village, version), sums in counted.items()
        ),
    )


def _counted(township: int, year: int, villages: Sequence[int] | None) -> tuple[dict[Key, Sums], int]:
    """Sums by village and version from the tables, and the run the township shows (0 without results)."""
    results = frames.shown_results(township=township, year=year, villages=villages)
    if not len(results):
        return {}, 0
    found = count(results, _systems(results["version_id"].unique().tolist()))
    return {(village, version): sums for village, version, sums in found}, int(results["run_id"].iloc[0])


def _systems(versions: Iterable[int]) -> dict[int, IndexSystem]:
    return {version.pk: version.system for version in IndexVersion.objects.filter(pk__in=versions)}


def _keep_before_new_version(current: QuerySet[VillageFigures], counted: dict[Key, Sums]) -> None:
    """Where a version judges cards of a village for the first time, what the others said of it stays for the trend.

    Only the first time: when cards are judged anew one by one, the next counts hold ever fewer of the old version.
    """
    stands: dict[int, dict[int, int]] = defaultdict(dict)
    for pk, village, version in current.values_list("pk", "village_id", "version_id"):
        stands[village][version] = pk
    changed = {
        village
        for village, rows in stands.items()
        if {version for of, version in counted if of == village} - rows.keys()
    }
    if changed:
        before = VillageFigures.objects.filter(village__in=changed, current=False)
        kept = set(before.values_list("village_id", "version_id"))
        ends = [pk for village in changed for version, pk in stands[village].items() if (village, version) not in kept]
        VillageFigures.objects.filter(pk__in=ends).update(current=False)


def _count_cards(township: int, villages: Sequence[int] | None) -> None:
    here = _villages(township, villages)
    FiguresMark.objects.filter(here, year=FiguresMark.CARDS).delete()
    counted = _cards(here)
    CardCount.objects.filter(here).delete()
    CardCount.objects.bulk_create(
        CardCount(village_id=village, status=status, households=households, persons=persons)
        for (village, status), (households, persons) in counted.items()
    )


def _cards(here: Q) -> dict[tuple[int, str], tuple[int, int]]:
    rows = Household.objects.filter(here).exclude(status=HouseholdStatus.CLOSED).order_by()
    sums = rows.values_list("village_id", "status").annotate(Count("pk"), Sum("persons"))
    return {(village, status): (households, persons) for village, status, households, persons in sums}


def check(*, area: int | None = None) -> int:
    """Compare what is kept with a count from the tables; what differs is counted anew and told by an event.

    Returns how many (village, year) differed. Marked villages are counted first: they are known to be behind.
    """
    count_marked(area=area)
    pointers = TownshipPointer.objects.all() if area is None else TownshipPointer.objects.within(area)
    shown = set(pointers.values_list("township_id", "year"))
    cards = Household.objects.all() if area is None else Household.objects.within(area)
    kept = CardCount.objects.all() if area is None else CardCount.objects.within(area)
    villages = cards.order_by().values_list("village_id", flat=True).distinct()
    villages = villages.union(kept.order_by().values_list("village_id", flat=True).distinct())
    shown |= {(ancestor(village, Level.TOWNSHIP), FiguresMark.CARDS) for village in villages}
    return sum(_check_township(township, year) for township, year in sorted(shown))


@transaction.atomic
def _check_township(township: int, year: int) -> int:
    _lock(township, year, wait=True)
    here = between("village_id", *code_range(township))
    marked = set(FiguresMark.objects.filter(here, year=year).values_list("village_id", flat=True))
    differing = (_differing_cards(here) if year == FiguresMark.CARDS else _differing(township, year, here)) - marked
    if differing:
        _count(township, year, sorted(differing))
        record("households.figures_differed", by=None, area=township, year=year, villages=sorted(differing))
    return len(differing)


def _differing(township: int, year: int, here: Q) -> set[int]:
    counted, _run = _counted(township, year, None)
    kept = {
        (row.village_id, row.version_id): row.sums
        for row in VillageFigures.objects.filter(here, year=year, current=True)
    }
    keys = counted.keys() | kept.keys()
    return {key[0] for key in keys if differences(counted.get(key, Sums()), kept.get(key, Sums()))}


def _differing_cards(here: Q) -> set[int]:
    counted = _cards(here)
    rows = CardCount.objects.filter(here).values_list("village_id", "status", "households", "persons")
    kept = {(village, status): (households, persons) for village, status, households, persons in rows}
    return {key[0] for key in counted.keys() | kept.keys() if counted.get(key) != kept.get(key)}
