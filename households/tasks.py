"""Celery's side of the app: job handlers, ids in, one service call."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from celery import shared_task

from changde.jobs.models import Job
from changde.jobs.services import RunningJob, finisher, handler
from households.domain.card_workbook import CardBook, open_cards
from households.domain.workbook import WorkbookRefused
from households.models import ImportBatch, IndexRun, RunChunk
from households.services import duplicates, imports, index_runs, results


@contextmanager
def _workbook(batch: ImportBatch) -> Iterator[CardBook | None]:
    """The batch's workbook, or None when it is not taken as a whole (then the batch says why)."""
    try:
        book = open_cards(BytesIO(batch.content or b""))
    except WorkbookRefused as refused:
        imports.note_refused_file(batch, refused)
        yield None
        return
    with book:
        yield book


@handler("check_cards")
def check_cards(job: RunningJob) -> dict[str, Any]:
    """Foresee what an uploaded workbook would do."""
    batch = ImportBatch.objects.get(pk=job.parameters["batch"])
    with _workbook(batch) as book:
        if book is None:
            return {"refused_file": True}
        outcome = imports.check(book=book, by=job.owner, progress=job.progress)
        imports.note_checked(batch=batch, outcome=outcome, book=book)
    return {"households": outcome.households, "accepted": outcome.accepted}


@handler("import_cards")
def import_cards(job: RunningJob) -> dict[str, Any]:
    """Write a checked workbook."""
    batch = ImportBatch.objects.get(pk=job.parameters["batch"])
    with _workbook(batch) as book:
        if book is None:
            return {"refused_file": True}
        outcome = imports.take_in(book=book, batch=batch, by=job.owner, progress=job.progress)
    return {"households": outcome.households, "accepted": outcome.accepted}


@finisher("check_cards")
@finisher("import_cards")
def import_broke_off(job: Job) -> None:
    """The job was cancelled or failed for good: its batch says so."""
    batch = ImportBatch.objects.filter(pk=job.parameters["batch"]).first()
    if batch is not None:
        batch.job = job
        imports.settle(batch)


_CLOSED = {Job.State.DONE: IndexRun.State.DONE, Job.State.CANCELLED: IndexRun.State.CANCELLED}


@handler(index_runs.RUN_JOB)
def recompute_index(job: RunningJob) -> dict[str, Any]:
    run = IndexRun.objects.get(pk=job.parameters["run"])
    return {"townships": index_runs.enqueue_chunks(run=run, parent=Job.objects.get(pk=job.id))}


@finisher(index_runs.RUN_JOB)
def recompute_index_over(job: Job) -> None:
    run = IndexRun.objects.get(pk=job.parameters["run"])
    index_runs.close_run(run=run, state=_CLOSED.get(Job.State(job.state), IndexRun.State.FAILED), error=job.error)


@handler(index_runs.CHUNK_JOB)
def recompute_township(job: RunningJob) -> dict[str, Any]:
    chunk = RunChunk.objects.select_related("run").get(pk=job.parameters["chunk"])
    job.progress(0, chunk.expected)
    chunk = index_runs.compute_chunk(chunk=chunk)
    return {"households": chunk.households, "seconds": chunk.seconds}


@handler("recompute_stale")
def recompute_stale_of_area(job: RunningJob) -> dict[str, Any]:
    return {"households": results.recompute_stale(area=job.parameters["area"], year=job.parameters["year"])}


@shared_task(name="households.tasks.recompute_stale")
def recompute_stale() -> None:
    """Beat, every night: what is still stale or missing is recomputed card by card."""
    results.recompute_stale()


@handler(duplicates.FIND_JOB)
def find_duplicates_in_area(job: RunningJob) -> dict[str, Any]:
    return {"found": duplicates.find_candidates(area=job.parameters["area"], by=job.owner)}


@shared_task(name="households.tasks.find_duplicates")
def find_duplicates() -> None:
    """Beat, every night: new candidates of the whole city for the duplicates desk."""
    duplicates.find_candidates()
