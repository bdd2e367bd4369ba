"""Celery's side of the jobs: ids in, one service call."""

import threading

from celery import shared_task
from celery.signals import worker_ready
from django.db import close_old_connections, connection

from changde.jobs import services


@shared_task(name="changde.jobs.tasks.run")
def run(job_id: int) -> None:
    """Do one job; a thread of its own keeps the heartbeat while the handler is inside a long statement."""
    over = threading.Event()

    def keep_claim() -> None:
        while not over.wait(20):
            close_old_connections()
            services.beat_heart(job_id)
        connection.close()

    heart = threading.Thread(target=keep_claim, daemon=True)
    heart.start()
    try:
        services.run_job(job_id)
    finally:
        over.set()
        heart.join(timeout=5)


@shared_task(name="changde.jobs.tasks.sweep")
def sweep() -> None:
    services.tell_alive()
    services.sweep()


@worker_ready.connect
def tell_ready(**kwargs: object) -> None:
    """A worker that has just started counts before its first round."""
    services.tell_alive()
