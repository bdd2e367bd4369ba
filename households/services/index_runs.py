"""Runs: an area's cards of one year judged anew, township by township.

A township is one chunk and one transaction: its cards are read, judged and written, its pointer moves to the run, and
what changed meanwhile is marked stale. Readers see a township before or after, never between. A chunk done twice (its
worker died after the work) writes the same rows again. Two runs that overlap cannot run at once: the database refuses
the second row (index_run_no_overlap).
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import between
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level, ancestor, code_range, level_of
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import cancel as cancel_job
from changde.jobs.services import enqueue, finish_parent
from households import frames
from households.models import IndexRun, Result, RunChunk, Sheet, TownshipPointer
from households.services.index_versions import version_for, versions_for
from households.services.results import lock_township, mark_older_than_cards

RUN_JOB, CHUNK_JOB = "recompute_index", "recompute_township"
CLAIM_ENDS = timedelta(minutes=5)
KEPT_RUNS = 2  # runs of a township and year whose results stay, besides final ones

Progress = Callable[[int, int], None]


def latest_year(*, division: Division) -> int:
    """The latest year of which the area has sheets; refuses when it has none."""
    year = Sheet.objects.filter(between("village_id", *code_range(division.code))).aggregate(Max("year"))["year__max"]
    if year is None:
        raise Refusal("no_sheets", _("%(division)s还没有年度表,请先录入或导入户卡") % {"division": division.name})
    return year


@transaction.atomic
def start_run(*, division: Division, year: int, by: User | None, in_background: bool = True) -> IndexRun:
    """Open a run over the area (a village rounds up to its township) and, in the background, enqueue its job.

    Refuses where no card has a sheet of the year, where a county has no index version for it, and while a run of the
    year over any part of the area is open.
    """
    if level_of(division.code) == Level.VILLAGE:
        division = Division.objects.get(code=ancestor(division.code, Level.TOWNSHIP))
    first, last = code_range(division.code)
    expected = _households_by_township(first=first, last=last, year=year)
    if not any(expected.values()):
        message = _("%(division)s没有%(year)s年的年度表") % {"division": division.name, "year": year}
        raise Refusal("no_sheets", message, field="year")
    versions_for(counties={ancestor(township, Level.COUNTY) for township in expected}, year=year)
    _close_abandoned()
    run = _open_run(division=division, first=first, last=last, year=year, by=by)
    RunChunk.objects.bulk_create(
        RunChunk(run=run, township_id=township, expected=count) for township, count in sorted(expected.items())
    )
    record("index.run", by=by, target=run, area=division.code, year=year, townships=len(expected))
    if in_background:
        total = sum(expected.values())
        run.job = enqueue(RUN_JOB, by=by, area=division.code, parameters={"run": run.pk}, total=total)
        run.save(update_fields=["job"])
    return run


def _close_abandoned() -> None:
    """Free the areas of runs nobody works on any more: the process died, or the job ended without its finisher."""
    silent = IndexRun.objects.filter(job=None, heartbeat_at__lt=timezone.now() - CLAIM_ENDS)
    orphaned = IndexRun.objects.exclude(job=None).exclude(job__state__in=Job.OPEN)
    for run in (silent | orphaned).filter(state=IndexRun.State.RUNNING):
        close_run(run=run, state=IndexRun.State.FAILED, error=_("测算进程中断"))


def _open_run(*, division: Division, first: int, last: int, year: int, by: User | None) -> IndexRun:
    try:
        with transaction.atomic():
            return IndexRun.objects.create(division=division, first_code=first, last_code=last, year=year, owner=by)
    except IntegrityError as error:
        if "index_run_no_overlap" not in str(error):
            raise
        raise Refusal("run_overlap", _("该区域(或其中一部分)正在测算,请等它结束或取消后再试")) from error


def _households_by_township(*, first: int, last: int, year: int) -> dict[int, int]:
    """Sheets of the year per township; also townships that show results of the year but have no sheet any more."""
    shown = TownshipPointer.objects.filter(between("township_id", first, last), year=year)
    counts = Counter(dict.fromkeys(shown.values_list("township_id", flat=True), 0))
    sheets = Sheet.objects.filter(between("village_id", first, last), year=year).exclude(household__status="closed")
    for village, count in sheets.values_list("village_id").annotate(Count("pk")).order_by():
        counts[ancestor(village, Level.TOWNSHIP)] += count
    return dict(counts)


def enqueue_chunks(*, run: IndexRun, parent: Job) -> int:
    """One job per township that is not done yet; doing it twice adds none."""
    with transaction.atomic():
        asked = {job.parameters["chunk"] for job in parent.children.all()}
        chunks = run.chunks.exclude(pk__in=asked).exclude(state=RunChunk.State.DONE)
        for chunk in chunks:
            parameters = {"chunk": chunk.pk}
            enqueue(
                CHUNK_JOB, by=parent.owner, area=chunk.township_id, parameters=parameters, total=chunk.expected,
                parent=parent,
            )  # fmt: skip
    return len(chunks)


def compute_chunk(*, chunk: RunChunk) -> RunChunk:
    """Judge one township and show it, in one transaction. A chunk that is done stays as it is."""
    began = monotonic()
    run, township = chunk.run, chunk.township_id
    if chunk.state == RunChunk.State.DONE or run.state != IndexRun.State.RUNNING:
        return chunk
    first, last = code_range(township)
    version = version_for(county=ancestor(township, Level.COUNTY), year=run.year)
    with transaction.atomic():
        cards = frames.features_of(year=run.year, first=first, last=last, system=version.system)
        lock_township(township=township, year=run.year, shared=False)
        Result.objects.filter(run=run).filter(between("village_id", first, last)).delete()
        written = frames.write_results(cards, run=run, version=version, system=version.system)
        TownshipPointer.objects.update_or_create(township_id=township, year=run.year, defaults={"run": run})
        mark_older_than_cards(run=run, township=township)
        chunk.state = RunChunk.State.DONE
        chunk.households, chunk.outcomes, chunk.digest = written.households, written.outcomes, written.digest
        chunk.seconds = round(monotonic() - began, 3)
        chunk.save()
    return chunk


def compute_run(*, run: IndexRun, progress: Progress = lambda done, total: None) -> IndexRun:
    """All chunks of a run one after the other, in this process; then close it."""
    chunks = list(run.chunks.select_related("run"))
    total = sum(chunk.expected for chunk in chunks)
    done = 0
    try:
        for chunk in chunks:
            progress(done, total)
            IndexRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
            compute_chunk(chunk=chunk)
            done += chunk.expected
        progress(total, total)
    except BaseException as error:
        close_run(run=run, state=IndexRun.State.FAILED, error=type(error).__name__)
        raise
    return close_run(run=run, state=IndexRun.State.DONE)


@transaction.atomic
def close_run(*, run: IndexRun, state: str, error: str = "") -> IndexRun:
    """Add the chunks up and free the area. A run that is closed stays as it is."""
    run = IndexRun.objects.select_for_update().get(pk=run.pk)
    if run.state != IndexRun.State.RUNNING:
        return run
    chunks = list(run.chunks.all())
    if state == IndexRun.State.DONE and any(chunk.state != RunChunk.State.DONE for chunk in chunks):
        state, error = IndexRun.State.FAILED, _("有乡镇没有完成")
    outcomes: Counter[str] = Counter()
    digest = hashlib.sha256()
    for chunk in chunks:
        outcomes.update(chunk.outcomes)
        digest.update(f"{chunk.township_id}\t{chunk.digest}\n".encode())
    IndexRun.objects.filter(pk=run.pk).update(
        state=state,
        error=error[:300],
        finished_at=Now(),
        households=sum(chunk.households for chunk in chunks),
        outcomes={outcome: outcomes[outcome] for outcome in Result.Outcome.values},
        digest=digest.hexdigest(),
    )
    run.refresh_from_db()
    record("index.run_over", by=run.owner, target=run, area=run.division_id, state=state, households=run.households)
    if state == IndexRun.State.DONE:
        _drop_old_results(run)
    return run


def _drop_old_results(run: IndexRun) -> None:
    """Per township and year the results of the last KEPT_RUNS runs stay, and those of final runs for ever."""
    for township in run.chunks.values_list("township_id", flat=True):
        first, last = code_range(township)
        rows = Result.objects.filter(between("village_id", first, last), year=run.year)
        of_runs = rows.filter(run__final=False).order_by("-run_id").values_list("run_id", flat=True).distinct()
        for old in list(of_runs)[KEPT_RUNS:]:
            rows.filter(run_id=old).delete()


def cancel_run(*, run: IndexRun, by: User) -> IndexRun:
    """Stop a run: townships that are done stay, the others keep the results they showed."""
    if run.state != IndexRun.State.RUNNING:
        raise Refusal("run_over", _("这次测算已经结束,无法取消"))
    if run.job and run.job.is_open:
        cancel_job(job=run.job, by=by)
        if finish_parent(run.job.pk).is_open:
            return run  # a township is being written; the run closes behind it
    return close_run(run=run, state=IndexRun.State.CANCELLED)
