"""The chunks of a run: a township begun, judged, shown; tried again when it breaks; parked when it always does.

The ledger row says who works at the township and whether one still hears of it; it is written beside the township's own
transaction. Who may work at a chunk is decided by the job's claim (or by the one process that does the whole run). That
a worker given up for dead may still be at it does no harm: the township's lock lets one write at a time, and whoever
comes second finds the chunk done, or its run over.
"""

import logging
from functools import partial
from time import monotonic

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
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
from households.services.results import lock_township, mark_older_than_cards, show_runs

log = logging.getLogger(__name__)

MAX_TRIES = 3
BEAT_EVERY = 10.0  # seconds; RunChunk.SILENT_AFTER is a few of them
KEPT_RUNS = 2  # runs of a township and year whose results stay, besides final ones


def work_off(*, chunk: RunChunk) -> RunChunk:
    """Judge a township, again after an error, until it is done or parked. One that is done stays as it is.

    A refusal (no index version in force any more) parks it at once: trying again would not help.
    """
    while True:
        chunk = _begin(chunk)
        if chunk.state != RunChunk.State.RUNNING:
            return chunk
        try:
            with beating(partial(_beat, chunk.pk), every=BEAT_EVERY):
                return compute_chunk(chunk=chunk)
        except Refusal as refusal:
            return _park(chunk, str(refusal.message))
        except Exception as error:
            reason = kind_and_place(error)
            log.error("township %s of run %s: %s", chunk.township_id, chunk.run_id, reason)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            RunChunk.objects.filter(pk=chunk.pk).update(error=reason[:300])


def _begin(chunk: RunChunk) -> RunChunk:
    """Note who begins it, and the how manieth time; the try after the last allowed one parks it."""
    begun = RunChunk.objects.filter(pk=chunk.pk).exclude(state__in=[RunChunk.State.DONE, RunChunk.State.PARKED])
    begun.filter(run__state=IndexRun.State.RUNNING).update(
        state=RunChunk.State.RUNNING, worker=worker_name(), started_at=Now(), heartbeat_at=Now(), tries=F("tries") + 1
    )
    chunk = RunChunk.objects.select_related("run").get(pk=chunk.pk)
    if chunk.state == RunChunk.State.RUNNING and chunk.tries > MAX_TRIES:
        return _park(chunk, chunk.error or _("工作进程每次都中断"))
    return chunk


def _beat(chunk: int) -> None:
    RunChunk.objects.filter(pk=chunk, state=RunChunk.State.RUNNING).update(heartbeat_at=Now())


def _park(chunk: RunChunk, reason: str) -> RunChunk:
    chunk.state, chunk.error = RunChunk.State.PARKED, reason[:300]
    chunk.save(update_fields=["state", "error"])
    return chunk


def compute_chunk(*, chunk: RunChunk) -> RunChunk:
    """Judge one township and show it, in one transaction; its results of older runs go with it.

    Nothing happens where the chunk is done, or its run over, by the time the township is ours.
    """
    began = monotonic()
    run, township = chunk.run, chunk.township_id
    first, last = code_range(township)
    version = version_for(county=ancestor(township, Level.COUNTY), year=run.year)
    system = version.system
    with transaction.atomic():
        marks = figures.marks_taken(township=township, year=run.year)
        # Read before the lock: single cards go on being saved meanwhile, and mark_older_than_cards finds them.
        cards = frames.features_of(year=run.year, first=first, last=last, system=system, counted=True)
        lock_township(township=township, year=run.year, shared=False)
        chunk = RunChunk.objects.select_related("run").get(pk=chunk.pk)
        if chunk.state == RunChunk.State.DONE or not _goes_on(run):
            return chunk
        Result.objects.filter(run=run).filter(between("village_id", first, last)).delete()
        written = frames.write_results(cards, year=run.year, runs=run.pk, version=version, system=system)
        show_runs([run], township=township)
        mark_older_than_cards(run=run, township=township)
        results = frames.counted(cards, written.verdicts, version=version.pk)
        figures.keep_run(township=township, run=run, version=version, system=system, results=results, marks=marks)
        _drop_old_results(first=first, last=last, year=run.year)
        chunk.state, chunk.error = RunChunk.State.DONE, ""
        chunk.households, chunk.outcomes, chunk.digest = written.households, written.outcomes, written.digest
        chunk.seconds = round(monotonic() - began, 3)
        chunk.save(update_fields=["state", "error", "households", "outcomes", "digest", "seconds"])
    return chunk


def _goes_on(run: IndexRun) -> bool:
    """Whether the run is open; if so nobody closes it before this transaction ends, and other chunks need not wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM households_indexrun WHERE id = %s AND state = 'running' FOR SHARE", [run.pk])
        return cursor.rowcount == 1


def _drop_old_results(*, first: int, last: int, year: int) -> None:
    """Of the area's results of the year those of the last KEPT_RUNS runs stay, and those of final runs for ever."""
    rows = Result.objects.filter(between("village_id", first, last), year=year)
    of_area = rows.filter(run=OuterRef("pk")).order_by()
    runs = IndexRun.objects.filter(Exists(of_area), year=year, final=False).order_by("-pk")
    if old := list(runs.values_list("pk", flat=True)[KEPT_RUNS:]):
        rows.filter(run_id__in=old).delete()
