"""Results of single cards: marked stale with the change, recomputed alone by the functions of a whole run."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial

import pandas as pd
from django.db import connection, connections, transaction
from django.db.models.functions import Now

from changde.accounts.areas import between
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import acting
from changde.divisions.codes import Level, ancestor, code_range
from changde.jobs.services import enqueue, kind_and_place
from households import frames
from households.domain.features import FEATURES
from households.models import IndexRun, Result, Sheet, TownshipPointer
from households.services import status_leads
from households.services.index_versions import version_for

log = logging.getLogger(__name__)

VILLAGE_COLUMNS = [name for name, feature in FEATURES.items() if feature.subject == "village"]


def mark_stale(*, households: Iterable[int], year: int | None = None) -> int:
    """Say that something of these cards changed; call it in the transaction of the change. Returns how many results."""
    rows = Result.objects.filter(household_id__in=list(households), stale=False)
    return (rows if year is None else rows.filter(year=year)).update(stale=True)


def mark_village_stale(*, village: int, year: int, by: User | None) -> int:
    """Say that the village card of the year changed: results that read it go stale, a job recomputes them."""
    rows = Result.objects.filter(village_id=village, year=year, stale=False)
    marked = rows.filter(version__columns__overlap=VILLAGE_COLUMNS).update(stale=True)
    if marked:
        refresh_area_later(area=village, year=year, by=by)
    return marked


_AT_ONCE: ContextVar[bool] = ContextVar("recompute_at_once", default=True)


@contextmanager
def left_stale() -> Iterator[None]:
    """Cards saved inside are marked stale only: a batch recomputes them together (refresh_with_batch)."""
    token = _AT_ONCE.set(False)
    try:
        yield
    finally:
        _AT_ONCE.reset(token)


def refresh_with_save(*, household: int, year: int) -> None:
    """Part of the transaction that saves a card: stale at once, recomputed alone right after the commit.

    What goes wrong then (no index version for the year) costs the save nothing: the result stays stale or missing, and
    the night takes it up.
    """
    mark_stale(households=[household])
    if _AT_ONCE.get():
        transaction.on_commit(lambda: recompute_household(household=household, year=year), robust=True)


def refresh_with_batch(*, changed: Sequence[int], created: Sequence[int] = (), years: Iterable[int]) -> None:
    """Part of a transaction that writes many cards: stale at once, recomputed together right after the commit.

    Cards the transaction `created` have no result that could be stale.
    """
    mark_stale(households=changed)
    recompute, households, of_years = _OF_BATCH.get(), [*created, *changed], sorted(years)
    transaction.on_commit(lambda: recompute(households, of_years), robust=True)


def recompute_where_ruled(households: Sequence[int], years: Iterable[int]) -> None:
    """Recompute some cards of the years that their counties have an index version of."""
    for year in years:
        with suppress(Refusal):
            recompute_households(households=households, year=year)


_OF_BATCH: ContextVar[Callable[[Sequence[int], Sequence[int]], None]] = ContextVar(
    "of_batch", default=recompute_where_ruled
)


@contextmanager
def recomputed_beside(*, by: User | None) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Inside, what batches write is recomputed over a second connection while this thread writes on.

    Yields what has other work done there too. Works go in turn, and the writer waits for those before it hands on the
    next chunk, so that it is one ahead at most; on leaving all are done. Inside an open transaction, whose rows a
    second connection does not see, everything is done in this thread.
    """
    if connection.in_atomic_block:
        yield lambda work: work()
        return
    database, running = connection.settings_dict, set[Future[None]]()

    def do(work: Callable[[], None]) -> None:
        connection.settings_dict = database  # a thread begins with those of the settings
        try:
            with acting(by):
                work()
        except Exception as error:  # the write stands; cards stay stale or missing, and the night takes them up
            log.error("work beside a write of cards failed: %s", kind_and_place(error))
            connections.close_all()  # the next work begins with a fresh one

    def hand_over(work: Callable[[], None]) -> None:
        running.add(beside.submit(do, work))

    def hand_over_cards(households: Sequence[int], years: Sequence[int]) -> None:
        wait(running)
        running.clear()
        hand_over(partial(recompute_where_ruled, households, years))

    with ThreadPoolExecutor(1, "recompute") as beside:
        token = _OF_BATCH.set(hand_over_cards)
        try:
            yield hand_over
        finally:
            _OF_BATCH.reset(token)
            beside.submit(connections.close_all)


def refresh_area_later(*, area: int, year: int, by: User | None) -> None:
    """Part of a transaction that touches many results: a job recomputes what is stale or missing in the area."""
    enqueue("recompute_stale", by=by, area=area, parameters={"area": area, "year": year})


def recompute_household(*, household: int, year: int) -> Result | None:
    """Recompute one card alone and show it at once.

    None when the card has no sheet of the year, is closed, or the year has no index version.
    """
    try:
        recompute_households(households=[household], year=year)
    except Refusal:
        return None
    return Result.objects.filter(household_id=household, year=year).current().select_related("version").first()


def recompute_households(*, households: Sequence[int], year: int) -> int:
    """Recompute some cards of one year into the runs their townships show; returns how many.

    Each county is its own transaction, under the shared side of its townships' locks: a run that switches a township
    waits for it, and it for the run, so that neither can lose a change of the other.
    """
    villages = Sheet.objects.filter(household_id__in=households, year=year).values_list("household_id", "village_id")
    by_county: dict[int, dict[int, int]] = {}
    for household, village in villages:
        township = ancestor(village, Level.TOWNSHIP)
        by_county.setdefault(ancestor(village, Level.COUNTY), {})[household] = township
    return sum(
        _recompute_in_county(county=county, townships=townships, year=year)
        for county, townships in sorted(by_county.items())
    )


@transaction.atomic
def _recompute_in_county(*, county: int, townships: dict[int, int], year: int) -> int:
    """`townships` says of each household where its card is."""
    households, places = sorted(townships), sorted(set(townships.values()))
    # Rows before townships, as a save that recomputes its own card does, and both in the order of their numbers: no two
    # can wait for each other. Two recomputes of one card take turns; the second reads what the first left behind.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM households_household WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE", [households]
        )
    here = pd.DataFrame({"household": households, "township": [townships[each] for each in households]})
    touched = sorted({*places, *_left_places(here, year)})
    lock_townships(townships=touched, year=year, shared=True)
    version = version_for(county=county, year=year)
    runs = _runs_shown(touched, year)
    here["run"] = here["township"].map(runs)
    _drop_results(here, year)
    system = version.system
    (first, _), (_, last) = code_range(places[0]), code_range(places[-1])
    cards = frames.features_of(year=year, first=first, last=last, households=households, system=system)
    # One that moved on in this second is judged by who moved it.
    cards = cards[cards["household_id"].map(townships) == cards["village_id"] // 1000 * 1000]
    if not len(cards):
        return 0
    of_cards = cards["household_id"].map(townships).map(runs)
    frames.write_results(cards, year=year, runs=of_cards, version=version, system=system)
    status_leads.keep_households(townships=townships, year=year)
    return len(cards)


def _left_places(here: pd.DataFrame, year: int) -> list[int]:
    """Townships the households moved away from, where a final run would go on showing them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT r.village_id / 1000 * 1000
            FROM unnest(%s::bigint[], %s::bigint[]) here (household, township)
            JOIN households_result r ON r.household_id = here.household AND r.year = %s
             AND r.village_id / 1000 * 1000 <> here.township
            JOIN households_indexrun f ON f.id = r.run_id AND f.final
            ORDER BY 1
            """,
            [here["household"].tolist(), here["township"].tolist(), year],
        )
        return [place for (place,) in cursor.fetchall()]


def _drop_results(here: pd.DataFrame, year: int) -> None:
    """What is shown of the households now, and all of them elsewhere; final runs stay as they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM households_result r
            USING unnest(%s::bigint[], %s::bigint[], %s::bigint[]) here (household, township, run)
            WHERE r.household_id = here.household AND r.year = %s
              AND (r.run_id = here.run OR r.village_id / 1000 * 1000 <> here.township)
              AND NOT EXISTS (SELECT FROM households_indexrun f WHERE f.id = r.run_id AND f.final)
            """,
            [here["household"].tolist(), here["township"].tolist(), here["run"].tolist(), year],
        )


def _runs_shown(townships: Sequence[int], year: int) -> dict[int, int]:
    """Township -> the id of the run it shows, to write single cards into.

    Before its first run that is one that holds single cards only; while it shows a final run, which stays as it is, it
    is a copy of that run's results, made once.
    """
    pointers = TownshipPointer.objects.filter(township__in=townships, year=year)
    shown = dict(pointers.filter(run__final=False).values_list("township_id", "run_id"))
    missing = [place for place in townships if place not in shown]
    if not missing:
        return shown
    for place in missing:
        lock_pointer(township=place, year=year)
    now = {pointer.township_id: pointer.run for pointer in pointers.select_related("run")}
    shown = {place: run.pk for place, run in now.items() if not run.final}
    runs = IndexRun.objects.bulk_create(_run_of_cards(place, year) for place in missing if place not in shown)
    for run in runs:
        if run.division_id in now:
            _copy_results(now[run.division_id], run)
    show_runs({run.division_id: run for run in runs})
    return shown | {run.division_id: run.pk for run in runs}


def show_runs(runs: Mapping[int, IndexRun]) -> None:
    """From the end of the transaction on readers of each township see its run."""
    TownshipPointer.objects.bulk_create(
        [TownshipPointer(township_id=township, year=run.year, run=run) for township, run in runs.items()],
        update_conflicts=True,
        unique_fields=["township", "year"],
        update_fields=["run"],
    )


def _run_of_cards(township: int, year: int) -> IndexRun:
    first, last = code_range(township)
    return IndexRun(
        division_id=township,
        first_code=first,
        last_code=last,
        year=year,
        kind=IndexRun.Kind.CARDS,
        state=IndexRun.State.DONE,
        finished_at=Now(),
    )


def _copy_results(final: IndexRun, run: IndexRun) -> None:
    """Everything a township's results of the final run say, into the run that stands in for it."""
    said = ", ".join(
        connection.ops.quote_name(str(field.column)) for field in Result._meta.fields if field.name not in ("id", "run")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO households_result (run_id, {said}) SELECT %(run)s, {said} FROM households_result
                WHERE run_id = %(final)s AND village_id BETWEEN %(first)s AND %(last)s
                ORDER BY household_id""",  # noqa: S608 - our own column names
            {"run": run.pk, "final": final.pk, "first": run.first_code, "last": run.last_code},
        )


def lock_townships(*, townships: Iterable[int], year: int, shared: bool) -> None:
    """Until the end of the transaction: single cards share a township, a run that switches it has it alone.

    One after the other in the order of the codes, so that no two who want several wait for each other.
    """
    places = sorted(township // 1000 for township in townships)
    alone = "SELECT pg_advisory_xact_lock(place, %s) FROM unnest(%s::int[]) place"
    with connection.cursor() as cursor:
        cursor.execute(alone.replace("lock", "lock_shared") if shared else alone, [year, places])


def lock_pointer(*, township: int, year: int) -> None:
    """Until the end of the transaction: only one card at a time makes the run its township shows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [township // 1000, -year])


def mark_older_than_cards(*, run: IndexRun, townships: Sequence[int]) -> int:
    """Mark the results of a run in some townships that are older than their card, village card or index version.

    Their villages' figures are marked with them: they may have been counted from the card as it was.
    """
    (first, _), (_, last) = code_range(min(townships)), code_range(max(townships))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH older AS (
                UPDATE households_result r SET stale = true
                FROM households_household h
                WHERE h.id = r.household_id AND r.run_id = %(run)s AND r.village_id BETWEEN %(first)s AND %(last)s
                  AND r.village_id / 1000 * 1000 = ANY (%(townships)s::bigint[])
                  AND NOT r.stale
                  AND (h.version <> r.card_version
                       OR r.version_id IN (SELECT id FROM households_indexversion WHERE state <> 'released')
                       OR r.version_id IN (SELECT id FROM households_indexversion
                                           WHERE columns && %(village)s::varchar[])
                          AND r.village_card_version <> coalesce(
                              (SELECT v.version FROM households_villagecard v
                               WHERE v.village_id = r.village_id AND v.year = r.year), 0))
                RETURNING r.village_id, r.year
            ), marked AS (
                INSERT INTO households_figuresmark (village_id, year) SELECT DISTINCT village_id, year FROM older
            )
            SELECT count(*) FROM older
            """,
            {
                "run": run.pk,
                "first": first,
                "last": last,
                "townships": list(townships),
                "village": VILLAGE_COLUMNS,
            },
        )
        return int(cursor.fetchone()[0])


def stale_households(*, first: int, last: int, year: int, limit: int = 1000) -> list[int]:
    """Households of the area whose current result is stale or missing."""
    current = Result.objects.filter(year=year).filter(between("village_id", first, last)).current()
    stale = current.filter(stale=True).order_by("household_id").values_list("household_id", flat=True)[:limit]
    found = list(stale)
    if len(found) < limit:
        sheets = Sheet.objects.filter(year=year).filter(between("village_id", first, last))
        without = sheets.exclude(household__status="closed").exclude(household_id__in=current.values("household_id"))
        found += list(without.order_by("household_id").values_list("household_id", flat=True)[: limit - len(found)])
    return sorted(set(found))


def recompute_stale(*, area: int | None = None, year: int | None = None, batch: int = 1000) -> int:
    """Recompute every stale or missing result; returns how many.

    In an area and year (after an import) all townships with sheets, else (every night) all that show results.
    """
    if area is not None and year is not None:
        sheets = Sheet.objects.filter(between("village_id", *code_range(area)), year=year)
        villages = sheets.order_by().values_list("village_id", flat=True).distinct()
        places = sorted({(ancestor(village, Level.TOWNSHIP), year) for village in villages})
    else:
        places = list(TownshipPointer.objects.order_by("township_id", "year").values_list("township_id", "year"))
    counted = 0
    for township, of_year in places:
        first, last = code_range(township)
        asked: set[int] = set()
        while fresh := set(stale_households(first=first, last=last, year=of_year, limit=batch)) - asked:
            asked |= fresh
            with suppress(Refusal):  # no index version for the year: the results stay stale
                counted += recompute_households(households=sorted(fresh), year=of_year)
    return counted
