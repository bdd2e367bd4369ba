"""Jobs: the row is the truth, the message a hint."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from changde.accounts.refusal import Refusal
from changde.jobs import services
from changde.jobs.models import Job
from tests.conftest import wait_until


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    """Job kinds of this file only."""
    monkeypatch.setattr(services, "_HANDLERS", dict(services._HANDLERS))
    monkeypatch.setattr(services, "_FINISHERS", dict(services._FINISHERS))


@pytest.fixture
def no_broker(settings, monkeypatch):
    """A broker nobody listens at."""
    from celery import current_app

    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(current_app, "_pool", None, raising=False)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None, raising=False)


def test_a_job_does_its_work_and_says_what_it_did(people):
    services.handler("count")(lambda job: {"counted": job.parameters["n"]})
    job = services.enqueue("count", by=people.reshi_officer, parameters={"n": 3}, total=3)
    done = services.run_job(job.pk)
    assert (done.state, done.result, done.done) == (Job.State.DONE, {"counted": 3}, 3)


def test_a_finished_job_is_not_done_again(people):
    services.handler("count")(lambda job: {})
    job = services.enqueue("count", by=None)
    services.run_job(job.pk)
    assert services.run_job(job.pk) is None


def test_a_failure_names_its_kind_but_no_values(people):
    def fails(job):
        raise ValueError("430725194309046431 is secret")

    services.handler("fails")(fails)
    job = services.run_job(services.enqueue("fails", by=None).pk)
    assert job.state == Job.State.FAILED
    assert job.error.startswith("ValueError (fails:")
    assert "4307" not in job.error


def test_a_refusal_is_told_in_its_own_words(people):
    def refuses(job):
        raise Refusal("no_line", "2021 年没有收入线")

    services.handler("refuses")(refuses)
    assert services.run_job(services.enqueue("refuses", by=None).pk).error == "2021 年没有收入线"


def test_a_dead_workers_claim_ends_and_a_poison_job_is_parked(people):
    services.handler("poison")(lambda job: {})
    job = services.enqueue("poison", by=None)
    long_ago = timezone.now() - services.CLAIM_ENDS - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=long_ago, tries=services.MAX_TRIES)
    parked = services.run_job(job.pk)
    assert parked.state == Job.State.FAILED
    assert "3" in parked.error


def test_a_living_claim_is_respected(people):
    services.handler("busy")(lambda job: {})
    job = services.enqueue("busy", by=None)
    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=timezone.now(), tries=1)
    assert services.run_job(job.pk) is None


def test_cancel_ends_a_waiting_job_at_once(people):
    job = services.enqueue("count", by=people.reshi_officer)
    assert services.cancel(job=job, by=people.reshi_officer).state == Job.State.CANCELLED


def test_cancel_stops_a_running_job_at_its_next_progress(people):
    def counts(job):
        Job.objects.filter(pk=job.id).update(cancel_wanted=True)
        job.progress(1, 1)

    services.handler("count")(counts)
    assert services.run_job(services.enqueue("count", by=None, total=1).pk).state == Job.State.CANCELLED


def test_a_parent_is_done_when_its_last_child_is(people):
    services.handler("part")(lambda job: {})

    def splits(job):
        parent = Job.objects.get(pk=job.id)
        for _ in range(3):
            services.enqueue("part", by=None, parent=parent, total=2)

    finished = []
    services.handler("whole")(splits)
    services.finisher("whole")(lambda parent: finished.append(parent.state))
    job = services.run_job(services.enqueue("whole", by=None).pk)
    assert job.state == Job.State.RUNNING
    for child in job.children.all():
        services.run_job(child.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total, finished) == (Job.State.DONE, 6, 6, [Job.State.DONE])


def test_two_claims_at_once_do_the_work_once(committed_db):
    done = []
    services.handler("once")(lambda job: done.append(job.id))
    job = Job.objects.create(kind="once")  # not published: a worker of the suite would take part
    start = Barrier(4)

    def claim():
        start.wait()
        services.run_job(job.pk)
        connection.close()

    threads = [Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [job.pk]


def test_a_broker_that_is_down_never_fails_a_save(committed_db, no_broker):
    with transaction.atomic():
        job = services.enqueue("count", by=None)
    assert Job.objects.get(pk=job.pk).state == Job.State.WAITING


def test_a_real_worker_takes_what_the_sweep_finds(worker):
    Job.objects.create(kind="nobody_knows", created_at=timezone.now() - timedelta(minutes=1))
    assert services.sweep() == 1
    wait_until(lambda: not Job.objects.get().is_open)
    assert Job.objects.get().state == Job.State.FAILED
