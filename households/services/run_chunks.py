"""The chunks of a run: a township begun, judged, shown; tried again when it breaks; parked when it always does.

Small neighbours are judged together, as one frame in one transaction: what a township costs beside its cards is paid
once for all. The ledger row says who works at the township and whether one still hears of it; it is written beside that
transaction. Who may work at a chunk is decided by the job's claim (or by the one process that does the whole run). That
a worker given up for dead may still be at it does no harm: the township's lock lets one write at a time, and whoever
comes second finds the chunk done, or its run over.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from time import monotonic

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from changde.accounts.areas import between
from changde.accounts.refusal import Refusal
from changde.divisions.codes import Level, ancestor, code_range
from changde.jobs.heartbeat import beating, worker_name
from changde.jobs.services import kind_and_place
from households import frames
from households.models import IndexRun, Result, RunChunk
from households.services import figures
from households.services.index_versions import version_for
from households.services.results import lock_townships, mark_older_than_cards, show_runs

log = logging.getLogger(__name__)

AT_ONCE = 5_000  # households judged as one frame; a larger township is one alone
MAX_TRIES = 3
BEAT_EVERY = 10.0  # seconds; RunChunk.SILENT_AFTER is a few of them
KEPT_RUNS = 2  # runs of a township and year whose results stay, besides final ones


def batches(chunks: Iterable[RunChunk]) -> Iterator[list[RunChunk]]:
    """Undone chunks of a run in the order of the codes, neighbours of one county together up to AT_ONCE households.

    `chunks` come in that order; one that is done ends a batch, so that what lies between is not read again.
    """
    batch: list[RunChunk] = []
    for chunk in chunks:
        if batch and not _fits(batch, chunk):
            yield batch
            batch = []
        if chunk.state != RunChunk.State.DONE:
            batch.append(chunk)
    if batch:
        yield batch


def _fits(batch: list[RunChunk], chunk: RunChunk) -> bool:
    counties = {ancestor(each.township_id, Level.COUNTY) for each in (batch[0], chunk)}
    expected = sum(each.expected for each in batch) + chunk.expected
    return chunk.state != RunChunk.State.DONE and len(counties) == 1 and expected <= AT_ONCE


def work_off(*, chunks: Sequence[RunChunk]) -> list[RunChunk]:
    """Judge townships of a batch, again after an error, until each is done or parked. One that is done stays as it is.

    They are judged together once; after an error, or where a worker has died at one of them, each alone, so that only
    the one that breaks is parked. A refusal (no index version in force any more) parks them at once: trying again
    would not help.
    """
    together = len(chunks) > 1 and not any(chunk.tries for chunk in chunks)
    if not (together and _tried(chunks)):
        for chunk in chunks:
            while not _tried([chunk]):
                pass
    return list(_by_code(chunks))


def _tried(chunks: Sequence[RunChunk]) -> bool:
    """One try of all of them together; False where an error came between."""
    begun = _begin(chunks)
    if not begun:
        return True
    try:
        with beating(partial(_beat, [chunk.pk for chunk in begun]), every=BEAT_EVERY):
            compute_chunks(chunks=begun)
    except Refusal as refusal:
        _park(begun, str(refusal.message))
    except Exception as error:
        reason = kind_and_place(error)
        log.error("townships %s of run %s: %s", [chunk.township_id for chunk in begun], begun[0].run_id, reason)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        _running(begun).update(error=reason[:300])
        return False
    return True


def _of(chunks: Iterable[RunChunk]) -> QuerySet[RunChunk]:
    return RunChunk.objects.filter(pk__in=[chunk.pk for chunk in chunks])


def _running(chunks: Iterable[RunChunk]) -> QuerySet[RunChunk]:
    """Another worker may have finished some: whoever was given up for dead writes nothing there."""
    return _of(chunks).filter(state=RunChunk.State.RUNNING)


def _by_code(chunks: Iterable[RunChunk]) -> QuerySet[RunChunk]:
    return _of(chunks).select_related("run").order_by("township_id")


def _begin(chunks: Iterable[RunChunk]) -> list[RunChunk]:
    """Note who begins them, and the how manieth time; the try after the last allowed one parks. Returns the begun."""
    over = [RunChunk.State.DONE, RunChunk.State.PARKED]
    _of(chunks).exclude(state__in=over).filter(run__state=IndexRun.State.RUNNING).update(
        state=RunChunk.State.RUNNING, worker=worker_name(), started_at=Now(), heartbeat_at=Now(), tries=F("tries") + 1
    )
    running = [chunk for chunk in _by_code(chunks) if chunk.state == RunChunk.State.RUNNING]
    for chunk in running:
        if chunk.tries > MAX_TRIES:
            _park([chunk], chunk.error or _("工作进程每次都中断"))
    return [chunk for chunk in running if chunk.tries <= MAX_TRIES]


def _beat(chunks: list[int]) -> None:
    RunChunk.objects.filter(pk__in=chunks, state=RunChunk.State.RUNNING).update(heartbeat_at=Now())


def _park(chunks: Iterable[RunChunk], reason: str) -> None:
    _running(chunks).update(state=RunChunk.State.PARKED, error=reason[:300])


def compute_chunks(*, chunks: Sequence[RunChunk]) -> None:
    """Judge townships of one run and county and show them, in one transaction; their results of older runs go with it.

    A township that is done by the time it is ours stays as it is; nothing happens where the run is over.
    """
    began = monotonic()
    run = chunks[0].run
    townships = sorted(chunk.township_id for chunk in chunks)
    (first, _last), (_first, last) = code_range(townships[0]), code_range(townships[-1])
    version = version_for(county=ancestor(first, Level.COUNTY), year=run.year)
    system = version.system
    with transaction.atomic():
        marks = figures.marks_taken(townships=townships, year=run.year)
        # Read before the lock: single cards go on being saved meanwhile, and mark_older_than_cards finds them.
        cards = frames.features_of(year=run.year, first=first, last=last, system=system, counted=True)
        lock_townships(townships=townships, year=run.year, shared=False)
        undone = list(_by_code(chunks).exclude(state=RunChunk.State.DONE))
        if not undone or not _goes_on(run):
            return
        townships = [chunk.township_id for chunk in undone]
        cards = cards[(cards["village_id"] // 1000 * 1000).isin(townships)].reset_index(drop=True)
        of_run = Result.objects.filter(between("village_id", first, last), run=run)
        of_run.alias(township=F("village_id") - F("village_id") % 1000).filter(township__in=townships).delete()
        written = frames.write_results(cards, year=run.year, runs=run.pk, version=version, system=system)
        show_runs(dict.fromkeys(townships, run))
        mark_older_than_cards(run=run, townships=townships)
        results = frames.counted(cards, written.verdicts, version=version.pk)
        figures.keep_run(townships=townships, run=run, version=version, system=system, results=results, marks=marks)
        _drop_old_results(townships=townships, year=run.year)
        said = frames.said_by_township(cards, written, townships=townships, year=run.year, version=version)
        _note_done(undone, said, seconds=monotonic() - began)


def _note_done(chunks: Sequence[RunChunk], said: Mapping[int, frames.Said], *, seconds: float) -> None:
    """What each township came to; the seconds of a batch are shared out by households."""
    households = sum(each.households for each in said.values())
    done = []
    for chunk in chunks:
        of_township = said[chunk.township_id]
        share = of_township.households / households if households else 1 / len(chunks)
        done.append({"id": chunk.pk, "seconds": round(seconds * share, 3), **asdict(of_township)})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE households_runchunk chunk
            SET state = 'done', error = '', households = done.households, outcomes = done.outcomes,
                digest = done.digest, seconds = done.seconds
            FROM jsonb_to_recordset(%s::jsonb)
                AS done (id bigint, households integer, outcomes jsonb, digest text, seconds double precision)
            WHERE chunk.id = done.id
            """,
            [json.dumps(done)],
        )


def _goes_on(run: IndexRun) -> bool:
    """Whether the run is open; if so nobody closes it before this transaction ends, and other chunks need not wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM households_indexrun WHERE id = %s AND state = 'running' FOR SHARE", [run.pk])
        return cursor.rowcount == 1


def _drop_old_results(*, townships: Sequence[int], year: int) -> None:
    """Of a township's results of the year those of the last KEPT_RUNS runs stay, and those of final runs for ever."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (
                SELECT township, run.id AS run_id,
                       row_number() OVER (PARTITION BY township ORDER BY run.id DESC) AS place
                FROM unnest(%s::bigint[]) township
                JOIN households_indexrun run ON run.year = %s AND NOT run.final
                WHERE EXISTS (SELECT FROM households_result r
                              WHERE r.run_id = run.id AND r.village_id BETWEEN township AND township + 999)
            )
            DELETE FROM households_result r USING held
            WHERE held.place > %s AND r.run_id = held.run_id
              AND r.village_id BETWEEN held.township AND held.township + 999
            """,
            [list(townships), year, KEPT_RUNS],
        )
