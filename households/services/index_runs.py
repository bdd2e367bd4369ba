"""Runs: an area's cards of one year judged anew, township by township.

A township is one chunk (run_chunks): its cards are read, judged and written, its pointer moves to the run, and what
changed meanwhile is marked stale, in one transaction; small neighbours share one. Readers see a township before or
after, never between. Two runs that overlap cannot run at once: the database refuses the second row
(index_run_no_overlap). A run that ended with townships undone is taken up again where it stood (resume_run).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, Max, OuterRef
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.areas import between
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level, ancestor, code_range, level_of, nearest_common
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import cancel as cancel_job
from changde.jobs.services import enqueue, finish_parent, kind_and_place, take_up
from households.models import IndexRun, Result, RunChunk, Sheet, TownshipPointer
from households.services import status_leads
from households.services.index_versions import versions_for
from households.services.results import lock_townships
from households.services.run_chunks import batches, work_off

RUN_JOB, CHUNK_JOB = "recompute_index", "recompute_township"
CLAIM_ENDS = timedelta(minutes=5)

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
        _enqueue(run, by)
    return run


def _enqueue(run: IndexRun, by: User | None) -> None:
    """The job of what is not done yet."""
    total = sum(run.chunks.exclude(state=RunChunk.State.DONE).values_list("expected", flat=True))
    run.job = enqueue(RUN_JOB, by=by, area=run.division_id, parameters={"run": run.pk}, total=total)
    run.save(update_fields=["job"])


def _close_abandoned() -> None:
    """Free the areas of runs nobody works on any more: the process died, or the job ended without its finisher."""
    silent = IndexRun.objects.filter(job=None, heartbeat_at__lt=timezone.now() - CLAIM_ENDS)
    orphaned = IndexRun.objects.exclude(job=None).exclude(job__state__in=Job.OPEN)
    for run in (silent | orphaned).filter(state=IndexRun.State.RUNNING):
        close_run(run=run, state=IndexRun.State.FAILED, error=_("测算进程中断"))


def _open_run(*, division: Division, first: int, last: int, year: int, by: User | None) -> IndexRun:
    _one_opens()
    try:
        with transaction.atomic():
            return IndexRun.objects.create(division=division, first_code=first, last_code=last, year=year, owner=by)
    except IntegrityError as error:
        raise _overlap(error) from error


def _one_opens() -> None:
    """Until the end of the transaction nobody else opens a run: several that meet at the constraint can deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('index_run_opens'))")


def _overlap(error: IntegrityError) -> Refusal:
    if "index_run_no_overlap" not in str(error):
        raise error
    return Refusal("run_overlap", _("该区域(或其中一部分)正在测算,请等它结束或取消后再试"))


def _households_by_township(*, first: int, last: int, year: int) -> dict[int, int]:
    """Sheets of the year per township; also townships that show results of the year but have no sheet any more."""
    shown = TownshipPointer.objects.filter(between("township_id", first, last), year=year)
    counts = dict.fromkeys(shown.values_list("township_id", flat=True), 0)
    return counts | sheets_by_township(first=first, last=last, year=year)


def sheets_by_township(*, first: int, last: int, year: int) -> dict[int, int]:
    """How many open households of each township have a sheet of the year."""
    counts: Counter[int] = Counter()
    sheets = Sheet.objects.filter(between("village_id", first, last), year=year).exclude(household__status="closed")
    for village, count in sheets.values_list("village_id").annotate(Count("pk")).order_by():
        counts[ancestor(village, Level.TOWNSHIP)] += count
    return dict(counts)


@transaction.atomic
def enqueue_chunks(*, run: IndexRun, parent: Job) -> int:
    """A job per batch of townships (run_chunks) that are not done yet; doing it twice adds none. How many townships."""
    asked = {chunk for job in parent.children.all() for chunk in job.parameters["chunks"]}
    found = list(batches(chunk for chunk in run.chunks.all() if chunk.pk not in asked))
    for batch in found:
        _enqueue_batch(batch, parent)
    return sum(map(len, found))


@transaction.atomic
def enqueue_alone(*, job: Job) -> None:
    """Share a batch's job out: a job for each of its townships that is not done; doing it twice adds none."""
    parent = job.parent
    assert parent is not None  # a batch is part of a run's job
    asked = [other.parameters["chunks"] for other in parent.children.all()]
    chunks = RunChunk.objects.filter(pk__in=job.parameters["chunks"]).exclude(state=RunChunk.State.DONE)
    for chunk in chunks:
        if [chunk.pk] not in asked:
            _enqueue_batch([chunk], parent)


def _enqueue_batch(batch: Sequence[RunChunk], parent: Job) -> None:
    area = nearest_common([chunk.township_id for chunk in batch])
    parameters = {"chunks": [chunk.pk for chunk in batch]}
    total = sum(chunk.expected for chunk in batch)
    enqueue(CHUNK_JOB, by=parent.owner, area=area, parameters=parameters, total=total, parent=parent)


def compute_run(*, run: IndexRun, progress: Progress = lambda done, total: None) -> IndexRun:
    """All chunks of a run, batch after batch, in this process; then close it."""
    found = list(batches(run.chunks.select_related("run")))
    total = sum(chunk.expected for batch in found for chunk in batch)
    done = 0
    try:
        for batch in found:
            progress(done, total)
            IndexRun.objects.filter(pk=run.pk).update(heartbeat_at=Now())
            work_off(chunks=batch)
            done += sum(chunk.expected for chunk in batch)
        progress(total, total)
    except BaseException as error:
        close_run(run=run, state=IndexRun.State.FAILED, error=kind_and_place(error))
        raise
    return close_run(run=run, state=IndexRun.State.DONE)


@transaction.atomic
def close_run(*, run: IndexRun, state: str, error: str = "") -> IndexRun:
    """Add the chunks up and free the area. A run that is closed stays as it is."""
    run = IndexRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.state != IndexRun.State.RUNNING:
        return run
    given_up = run.chunks.filter(state=RunChunk.State.RUNNING)
    if state == IndexRun.State.CANCELLED:
        given_up.update(state=RunChunk.State.WAITING)
    else:
        given_up.update(state=RunChunk.State.PARKED, error=error[:300] or _("工作进程每次都中断"))
    chunks = list(run.chunks.all())
    undone = sum(chunk.state != RunChunk.State.DONE for chunk in chunks)
    if undone and state != IndexRun.State.CANCELLED:
        state, error = IndexRun.State.FAILED, _("%(count)s 个乡镇没有完成") % {"count": undone}
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
        status_leads.start(area=run.division_id, by=run.owner)
    return run


@transaction.atomic
def resume_run(*, run: IndexRun, by: User | None, in_background: bool = True) -> IndexRun:
    """Take up again what is undone: townships a dead worker left, and, of a run that is over, all that are not done.

    A run that is over refuses where nothing is undone (`nothing_left`), and where going on would mix two states of
    affairs: a later run of the year touched its area (`later_run`), another index version came into force
    (`version_changed`).
    """
    run = IndexRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.state == IndexRun.State.RUNNING:
        if job := run.job:
            record("index.run_resume", by=by, target=run, area=run.division_id, year=run.year)
            transaction.on_commit(lambda: take_up(job), robust=True)
        return run
    undone = run.chunks.exclude(state=RunChunk.State.DONE)
    if not undone.exists():
        raise Refusal("nothing_left", _("这次测算的乡镇都已完成"))
    _refuse_mixed(run)
    _close_abandoned()
    _one_opens()
    try:
        with transaction.atomic():
            IndexRun.objects.filter(pk=run.pk).update(
                state=IndexRun.State.RUNNING, finished_at=None, error="", heartbeat_at=Now(), job=None
            )
    except IntegrityError as error:
        raise _overlap(error) from error
    undone.update(state=RunChunk.State.WAITING, tries=0, error="", worker="")
    record("index.run_resume", by=by, target=run, area=run.division_id, year=run.year, townships=len(undone))
    run.refresh_from_db()
    if in_background:
        _enqueue(run, by)
    return run


def _refuse_mixed(run: IndexRun) -> None:
    later = IndexRun.objects.filter(year=run.year, pk__gt=run.pk, kind=IndexRun.Kind.RUN)
    if later.filter(first_code__lte=run.last_code, last_code__gte=run.first_code).exists():
        raise Refusal("later_run", _("之后已有新的测算，请直接重新测算"))
    townships = run.chunks.values_list("township_id", flat=True)
    versions = versions_for(counties={ancestor(township, Level.COUNTY) for township in townships}, year=run.year)
    if any(version.released_at and version.released_at > run.started_at for version in versions.values()):
        raise Refusal("version_changed", _("之后已发布新的指标体系，请直接重新测算"))


@transaction.atomic
def mark_final(*, run: IndexRun, by: User) -> IndexRun:
    """Keep the results of a complete run for ever: the year's final one of its division. There is one, and no way back.

    Cards saved later are shown from a copy of their township (results), so that what is kept stays as it is.
    """
    # No card is being written into the run while it becomes final: each such write shares its township's lock.
    lock_townships(townships=run.chunks.values_list("township_id", flat=True), year=run.year, shared=False)
    run = IndexRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.state != IndexRun.State.DONE or run.kind != IndexRun.Kind.RUN:
        raise Refusal("not_done", _("只有全部完成的测算才能定为最终结果"))
    if IndexRun.objects.filter(division=run.division_id, year=run.year, final=True).exists():
        raise Refusal("final_exists", _("本区划这一年度已有最终结果，不能再定"))
    last = OuterRef("township_id") + 999
    kept = Result.objects.filter(run=run, village_id__gte=OuterRef("township_id"), village_id__lte=last)
    if run.chunks.filter(households__gt=0).exclude(Exists(kept)).exists():
        raise Refusal("results_gone", _("这次测算的结果已被后来的测算取代，请用最近一次"))
    run.final = True
    run.save(update_fields=["final"])
    record("index.run_final", by=by, target=run, area=run.division_id, year=run.year, digest=run.digest)
    return run


def cancel_run(*, run: IndexRun, by: User) -> IndexRun:
    """Stop a run: townships that are done stay, the others keep the results they showed."""
    if run.state != IndexRun.State.RUNNING:
        raise Refusal("run_over", _("这次测算已经结束，无法取消"))
    if run.job and run.job.is_open:
        cancel_job(job=run.job, by=by)
        if finish_parent(run.job.pk).is_open:
            return run  # a township is being written; the run closes behind it
    return close_run(run=run, state=IndexRun.State.CANCELLED)
