"""Celery's side of the app: job handlers, ids in, one service call."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from celery import shared_task

from changde.accounts.refusal import Refusal
from changde.jobs.models import Job
from changde.jobs.services import RunningJob, finisher, handler
from households.domain.card_workbook import CardBook, open_cards
from households.domain.registers import open_register
from households.domain.workbook import WorkbookRefused
from households.models import (
    CardExport,
    ImportBatch,
    IndexRun,
    IndexTrial,
    IndexTrialTownship,
    Printout,
    RegisterVersion,
    RunChunk,
)
from households.services import (
    detection,
    drafts,
    duplicates,
    exports,
    figures,
    imports,
    index_runs,
    index_trials,
    index_versions,
    leads,
    night_checks,
    printouts,
    register_comparison,
    registers,
    results,
    run_chunks,
    status_leads,
    undo,
)


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
        outcome = imports.check(book=book, by=job.owner, progress=job.progress, policy=batch.applies, batch=batch)
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


@handler("undo_cards")
def undo_cards(job: RunningJob) -> dict[str, Any]:
    """Take a written workbook back."""
    batch = ImportBatch.objects.defer("file_cipher").get(pk=job.parameters["batch"])
    return {"kept": undo.take_back(batch=batch, by=job.owner, progress=job.progress)}


@finisher("undo_cards")
def undo_broke_off(job: Job) -> None:
    undo.note_undo_broke_off(ImportBatch.objects.defer("file_cipher").get(pk=job.parameters["batch"]), job)


@finisher("check_cards")
@finisher("import_cards")
def import_broke_off(job: Job) -> None:
    """The job was cancelled or failed for good: its batch says so."""
    batch = ImportBatch.objects.filter(pk=job.parameters["batch"]).first()
    if batch is not None:
        batch.job = job
        imports.settle(batch)


@handler(exports.JOB)
def export_cards(job: RunningJob) -> dict[str, Any]:
    """Make the file of an export."""
    export = CardExport.objects.select_related("owner").get(pk=job.parameters["export"])
    export = exports.make_export(export=export, progress=job.progress)
    return {"households": export.rows}


@shared_task(name="households.tasks.forget_expired_exports")
def forget_expired_exports() -> None:
    """Beat, every hour: files whose week is over are deleted."""
    exports.forget_expired()


@handler(printouts.JOB)
def print_cards(job: RunningJob) -> dict[str, Any]:
    """A village's cards as one file."""
    printout = Printout.objects.without_file().select_related("owner").get(pk=job.parameters["printout"])
    made = printouts.make(printout=printout, progress=job.progress)
    return {"cards": made.cards, "pages": made.pages}


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
def recompute_townships(job: RunningJob) -> dict[str, Any]:
    """A batch of townships together; where a worker has died at it, each becomes a job of its own."""
    chunks = list(RunChunk.objects.select_related("run").filter(pk__in=job.parameters["chunks"]))
    if job.tries > 1 and len(chunks) > 1:
        index_runs.enqueue_alone(job=Job.objects.get(pk=job.id))
        job.progress(0, 0)
        return {"shared_out": len(chunks)}
    expected = sum(chunk.expected for chunk in chunks)
    job.progress(0, expected)
    chunks = run_chunks.work_off(chunks=chunks)
    parked = [chunk for chunk in chunks if chunk.state == RunChunk.State.PARKED]
    if parked:
        job.progress(expected - sum(chunk.expected for chunk in parked), expected)
        raise Refusal("chunk_parked", parked[0].error)
    return {"households": sum(chunk.households for chunk in chunks)}


_TRIAL_CLOSED = {Job.State.DONE: IndexTrial.State.DONE, Job.State.CANCELLED: IndexTrial.State.CANCELLED}


@handler(index_trials.TRIAL_JOB)
def try_index(job: RunningJob) -> dict[str, Any]:
    tried = IndexTrial.objects.get(pk=job.parameters["trial"])
    return {"townships": index_trials.enqueue_townships(tried=tried, parent=Job.objects.get(pk=job.id))}


@finisher(index_trials.TRIAL_JOB)
def try_index_over(job: Job) -> None:
    tried = IndexTrial.objects.filter(pk=job.parameters["trial"]).first()
    if tried is not None:  # the draft and its trials may have been discarded meanwhile
        state = _TRIAL_CLOSED.get(Job.State(job.state), IndexTrial.State.FAILED)
        index_trials.close_trial(tried=tried, state=state, error=job.error)


@handler(index_trials.TOWNSHIP_JOB)
def try_index_township(job: RunningJob) -> dict[str, Any]:
    row = IndexTrialTownship.objects.get(pk=job.parameters["township"])
    job.progress(0, row.expected)
    row = index_trials.try_township(row=row)
    return {"households": row.households, "seconds": row.seconds}


@handler("recompute_stale")
def recompute_stale_of_area(job: RunningJob) -> dict[str, Any]:
    return {"households": results.recompute_stale(area=job.parameters["area"], year=job.parameters["year"])}


@shared_task(name="households.tasks.recompute_stale")
def recompute_stale() -> None:
    """Beat, every night: what is still stale or missing is recomputed card by card."""
    results.recompute_stale()


@handler(status_leads.JOB)
def find_status_leads(job: RunningJob) -> dict[str, Any]:
    """Leads of a county by the outcomes of a year."""
    kept = status_leads.keep_area(area=job.parameters["area"], year=job.parameters["year"])
    return {"opened": kept.opened, "changed": kept.changed, "closed": kept.closed}


@shared_task(name="households.tasks.keep_status_leads")
def keep_status_leads() -> None:
    """Beat, every night after the results: what outcome and status name, county by county."""
    status_leads.start()


@shared_task(name="households.tasks.learn_lead_weights")
def learn_lead_weights() -> None:
    """Beat, every night: weights of the rules by the decisions, and the order of the desks."""
    leads.learn_weights()


@handler(night_checks.AREA_JOB)
def check_stored_cards(job: RunningJob) -> dict[str, Any]:
    parent = Job.objects.get(pk=job.id)
    return {"townships": night_checks.enqueue_townships(area=job.parameters["area"], parent=parent)}


@handler(night_checks.TOWNSHIP_JOB)
def check_township(job: RunningJob) -> dict[str, Any]:
    night = night_checks.check_area(area=job.parameters["township"], by=job.owner, progress=job.progress)
    return {"households": night.households, "opened": night.opened, "closed": night.closed}


@shared_task(name="households.tasks.check_cards_nightly")
def check_cards_nightly() -> None:
    """Beat, every night: all checks over all stored cards."""
    night_checks.start()


@shared_task
def forget_old_drafts() -> None:
    """Every hour: drafts that nobody touched in time (models.draft) are deleted."""
    drafts.forget_old_drafts()


@shared_task(name="households.tasks.forget_printouts")
def forget_printouts() -> None:
    """Beat, every hour: files for printing whose week is over are dropped."""
    printouts.forget_expired()


@handler(duplicates.FIND_JOB)
def find_duplicates_in_area(job: RunningJob) -> dict[str, Any]:
    return {"found": duplicates.find_candidates(area=job.parameters["area"], by=job.owner)}


@shared_task(name="households.tasks.find_duplicates")
def find_duplicates() -> None:
    """Beat, every night: new candidates of the whole city for the duplicates desk."""
    duplicates.find_candidates()


@shared_task(name="households.tasks.put_index_versions_in_force")
def put_index_versions_in_force() -> None:
    """Beat, every hour: index versions whose day has come."""
    index_versions.put_due_versions_in_force()


@handler(detection.AREA_JOB)
def detect_leads(job: RunningJob) -> dict[str, Any]:
    parent = Job.objects.get(pk=job.id)
    return {"counties": detection.enqueue_counties(parent=parent, **job.parameters)}


@handler(detection.COUNTY_JOB)
def detect_leads_of_county(job: RunningJob) -> dict[str, Any]:
    kept = detection.keep(division=job.parameters["area"], year=job.parameters["year"], progress=job.progress)
    return {"opened": kept.opened, "changed": kept.changed, "closed": kept.closed}


@shared_task(name="households.tasks.detect_leads_weekly")
def detect_leads_weekly() -> None:
    """Beat, every week: leads of the whole city."""
    detection.start_city()


@shared_task(name="households.tasks.count_figures")
def count_figures() -> None:
    """Beat, every 20 seconds: figures of villages where something changed are counted anew."""
    figures.count_marked()


@shared_task(name="households.tasks.check_figures")
def check_figures() -> None:
    """Beat, every night: what is kept against a count from the tables."""
    figures.check()


@handler(registers.CHECK_JOB)
def check_register(job: RunningJob) -> dict[str, Any]:
    """Read a register's table and foresee what it would bring."""
    version = RegisterVersion.objects.get(pk=job.parameters["version"])
    try:
        table = open_register(BytesIO(version.content or b""), version.kind)
    except WorkbookRefused as refused:
        registers.note_refused_file(version, refused)
        return {"refused_file": True}
    with table:
        version = registers.check(version=version, table=table, progress=job.progress)
    return {"rows": version.rows, "accepted": version.accepted}


@handler(register_comparison.COMPARE_JOB)
def compare_registers(job: RunningJob) -> dict[str, Any]:
    """Members against the registers: one version's area and register, or all registers of an area."""
    if "version" in job.parameters:
        version = RegisterVersion.objects.defer("file_cipher").get(pk=job.parameters["version"])
        kept = registers.compare_version(version=version, by=job.owner, progress=job.progress)
    else:
        kept = register_comparison.compare(area=job.parameters["area"], by=job.owner, progress=job.progress)
    return {"opened": kept.opened, "changed": kept.changed, "closed": kept.closed}


@finisher(registers.CHECK_JOB)
@finisher(register_comparison.COMPARE_JOB)
def register_job_broke_off(job: Job) -> None:
    version = RegisterVersion.objects.defer("file_cipher").filter(pk=job.parameters.get("version")).first()
    if version is not None:
        version.job = job
        registers.settle(version)


@shared_task(name="households.tasks.compare_registers_nightly")
def compare_registers_nightly() -> None:
    """Beat, every night: cards and members have changed by day; old entries are forgotten."""
    registers.forget_old()
    register_comparison.start_nightly()
