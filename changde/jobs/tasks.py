"""Celery's side of the jobs: ids in, one service call."""

from celery import shared_task
from celery.signals import worker_ready

from changde.jobs import services
from changde.jobs.heartbeat import beating


@shared_task(name="changde.jobs.tasks.run")
def run(job_id: int) -> None:
    """Do one job; a thread of its own keeps the heartbeat while the handler is inside a long statement."""
    with beating(lambda: services.beat_heart(job_id), every=20):
        services.run_job(job_id)


@shared_task(name="changde.jobs.tasks.sweep")
def sweep() -> None:
    services.tell_alive()
    services.sweep()


@worker_ready.connect
def tell_ready(**kwargs: object) -> None:
    """A worker that has just started counts before its first round."""
    services.tell_alive()
