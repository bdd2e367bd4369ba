"""Jobs: enqueue, claim, heartbeat, sweep, cancel.

The row is written in the caller's transaction and published after commit by a robust hook: a broker that is down
never fails a save. What a lost message leaves behind is claimed by the sweep. A claim is one conditional UPDATE; a
worker that dies loses its claim when its heartbeat is older than CLAIM_ENDS; after MAX_TRIES the job is failed with
its reason, so that a poison job cannot loop.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import acting, record
from changde.jobs.models import Job

log = logging.getLogger(__name__)

CLAIM_ENDS = timedelta(seconds=90)
MAX_TRIES = 3
ALIVE_FOR = timedelta(seconds=60)
_ALIVE_KEY = "jobs:worker-alive"
_HEARTBEAT_EVERY = 2.0  # seconds between progress writes

Handler = Callable[["RunningJob"], dict[str, Any] | None]
_HANDLERS: dict[str, Handler] = {}
_FINISHERS: dict[str, Callable[[Job], None]] = {}


class Cancelled(Exception):
    """Raised inside a handler when somebody asked to cancel."""


@dataclass
class RunningJob:
    """What a handler gets: the row's facts, and how to tell progress."""

    id: int
    parameters: dict[str, Any]
    owner: User | None
    area: int | None
    tries: int
    _last: float = field(default=0.0)

    def progress(self, done: int, total: int) -> None:
        """Tell how far it is (also the heartbeat); raises Cancelled when somebody asked to stop."""
        if done < total and monotonic() - self._last < _HEARTBEAT_EVERY:
            return
        self._last = monotonic()
        Job.objects.filter(pk=self.id, state=Job.State.RUNNING).update(done=done, total=total, heartbeat_at=Now())
        if Job.objects.filter(pk=self.id).filter(Q(cancel_wanted=True) | Q(parent__cancel_wanted=True)).exists():
            raise Cancelled


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of `kind`; apps do so in their tasks.py."""

    def register(function: Handler) -> Handler:
        _HANDLERS[kind] = function
        return function

    return register


def finisher(kind: str) -> Callable[[Callable[[Job], None]], Callable[[Job], None]]:
    """Register what happens when all children of a job of `kind` are over."""

    def register(function: Callable[[Job], None]) -> Callable[[Job], None]:
        _FINISHERS[kind] = function
        return function

    return register


def enqueue(
    kind: str,
    *,
    by: User | None,
    area: int | None = None,
    parameters: dict[str, Any] | None = None,
    total: int = 0,
    parent: Job | None = None,
) -> Job:
    """Write the job's row in the open transaction and publish it after commit; parameters are ids."""
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind, owner=by, area=area, parameters=parameters or {}, total=total, parent=parent
        )
        if parent is None:
            record("jobs.enqueue", by=by, target=job, area=area, kind=kind)
        transaction.on_commit(lambda: publish(job.pk), robust=True)
    return job


def publish(job_id: int) -> None:
    """Hint to the workers; a failure is logged and left to the sweep."""
    try:
        current_app.send_task("changde.jobs.tasks.run", args=[job_id], retry=False)
    except Exception as error:
        log.warning("job %s could not be published (%s); the sweep will", job_id, type(error).__name__)


def run_job(job_id: int) -> Job | None:
    """Claim the job and do it; None when somebody else has it or it is over."""
    claimed = (
        Job.objects.filter(pk=job_id)
        .filter(Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, heartbeat_at__lt=timezone.now() - CLAIM_ENDS))
        .update(state=Job.State.RUNNING, started_at=Now(), heartbeat_at=Now(), tries=F("tries") + 1)
    )
    if not claimed:
        return None
    job = Job.objects.select_related("owner").get(pk=job_id)
    if job.tries > MAX_TRIES:
        return _close(
            job, Job.State.FAILED, error=_("已尝试 %(count)s 次,每次都中断;请联系系统管理员") % {"count": MAX_TRIES}
        )
    if job.cancel_wanted or (job.parent and job.parent.cancel_wanted):
        return _close(job, Job.State.CANCELLED)
    running = RunningJob(job.pk, job.parameters, job.owner, job.area, job.tries)
    try:
        with acting(job.owner, job=job.pk):
            result = _HANDLERS[job.kind](running)
    except Cancelled:
        return _close(job, Job.State.CANCELLED)
    except Refusal as refusal:
        return _close(job, Job.State.FAILED, error=str(refusal.message))
    except Exception as error:
        reason = kind_and_place(error)
        log.error("job %s (%s) failed: %s", job.pk, job.kind, reason)
        return _close(job, Job.State.FAILED, error=reason)
    if job.children.exists():
        return finish_parent(job.pk)
    return _close(job, Job.State.DONE, result=result)


def kind_and_place(error: BaseException) -> str:
    """What may be kept of an exception: its text may quote values of people, its kind and its place do not."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}{place}"


def _close(job: Job, state: str, *, result: dict[str, Any] | None = None, error: str = "") -> Job:
    with transaction.atomic():
        values: dict[str, Any] = {"state": state, "finished_at": Now(), "error": error[:300], "result": result}
        if state == Job.State.DONE:
            values["done"] = F("total")
        if not Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(**values):
            return Job.objects.get(pk=job.pk)
        job.refresh_from_db()
        if job.parent_id is None:
            record("jobs.finish", by=job.owner, target=job, area=job.area, kind=job.kind, state=state)
    if job.parent_id:
        finish_parent(job.parent_id)
    elif job.kind in _FINISHERS and state != Job.State.DONE:
        _FINISHERS[job.kind](job)
    return job


def finish_parent(job_id: int) -> Job:
    """Add the children's progress up; when all are over, run the finisher and close the parent.

    The row lock makes the last two children finish one after the other, so exactly one sees "all over".
    """
    with transaction.atomic():
        parent = Job.objects.select_for_update().select_related(None).get(pk=job_id)
        sums = parent.children.aggregate(
            done=Sum("done"),
            total=Sum("total"),
            open=Count("pk", filter=Q(state__in=Job.OPEN)),
            failed=Count("pk", filter=Q(state=Job.State.FAILED)),
            cancelled=Count("pk", filter=Q(state=Job.State.CANCELLED)),
        )
        if parent.state != Job.State.RUNNING:
            return parent
        parent.done, parent.total = sums["done"] or 0, max(parent.total, sums["total"] or 0)
        parent.heartbeat_at = timezone.now()
        if sums["open"]:
            parent.save(update_fields=["done", "total", "heartbeat_at"])
            return parent
        parent.finished_at = timezone.now()
        if sums["failed"]:
            parent.state = Job.State.FAILED
            parent.error = parent.children.filter(state=Job.State.FAILED).values_list("error", flat=True)[0]
        elif sums["cancelled"]:
            parent.state = Job.State.CANCELLED
        else:
            parent.state, parent.done = Job.State.DONE, parent.total
        if parent.kind in _FINISHERS:
            with acting(parent.owner, job=parent.pk):
                _FINISHERS[parent.kind](parent)
        parent.save()
        record("jobs.finish", by=parent.owner, target=parent, area=parent.area, kind=parent.kind, state=parent.state)
    return parent


def sweep() -> int:
    """Publish again what waits unseen or whose worker died; returns how many. Called by beat every 15 s."""
    now = timezone.now()
    lost = Job.objects.filter(
        Q(state=Job.State.WAITING, created_at__lt=now - timedelta(seconds=10))
        | Q(state=Job.State.RUNNING, heartbeat_at__lt=now - CLAIM_ENDS, children=None)
    ).order_by("pk")[:1000]
    for job in lost:
        publish(job.pk)
    for parent in Job.objects.filter(state=Job.State.RUNNING, children__isnull=False).distinct():
        finish_parent(parent.pk)
    return len(lost)


def take_up(job: Job) -> int:
    """Offer at once what a dead worker had of the job and its parts, without waiting for its claim to end.

    Asks the workers what they have in hand: what none of them names is nobody's. Returns how many were offered again.
    """
    held = in_hand()
    parts = Job.objects.filter(Q(pk=job.pk, children=None) | Q(parent=job))
    lost = list(parts.filter(state__in=Job.OPEN).exclude(pk__in=held).values_list("pk", flat=True))
    ended = timezone.now() - 2 * CLAIM_ENDS
    Job.objects.filter(pk__in=lost, state=Job.State.RUNNING).update(heartbeat_at=ended)
    for job_id in lost:
        publish(job_id)
    return len(lost)


def in_hand(timeout: float = 1.0) -> set[int]:
    """Jobs that some worker says it has begun or is about to; none when the broker is down."""
    try:
        asked = current_app.control.inspect(timeout=timeout)
        told = [*(asked.active() or {}).values(), *(asked.reserved() or {}).values()]
    except Exception:
        return set()
    return {task["args"][0] for tasks in told for task in tasks if task["name"] == "changde.jobs.tasks.run"}


def beat_heart(job_id: int) -> None:
    """Keep the claim of a job whose handler is inside one long statement."""
    Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(heartbeat_at=Now())


@transaction.atomic
def cancel(*, job: Job, by: User) -> Job:
    """Ask a job to stop: a waiting one ends at once, a running one at its next progress."""
    job = Job.objects.select_for_update().get(pk=job.pk)
    if not job.is_open:
        raise Refusal("job_over", _("这项任务已经结束，无法取消"))
    record("jobs.cancel", by=by, target=job, area=job.area, kind=job.kind)
    job.cancel_wanted = True
    if job.state == Job.State.WAITING:
        job.state, job.finished_at = Job.State.CANCELLED, timezone.now()
    job.save(update_fields=["cancel_wanted", "state", "finished_at"])
    job.children.filter(state=Job.State.WAITING).update(state=Job.State.CANCELLED, finished_at=timezone.now())
    return job


def tell_alive() -> None:
    """A worker's round: with it, broker, beat and worker have all worked (readyz)."""
    cache.set(_ALIVE_KEY, 1, timeout=ALIVE_FOR.total_seconds())


def workers_seen() -> bool:
    """Whether a worker has done a round within ALIVE_FOR."""
    return cache.get(_ALIVE_KEY) is not None


def workers_alive(timeout: float = 1.0) -> int:
    """How many Celery workers answer a ping within `timeout` seconds; 0 when the broker is down."""
    try:
        return len(current_app.control.ping(timeout=timeout) or [])
    except Exception:
        return 0
