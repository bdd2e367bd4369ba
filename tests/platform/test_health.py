"""Probes say whether the process lives and whether it can work, and nothing else."""

from types import SimpleNamespace

import pytest
from django.test import Client

from changde.jobs import services, tasks


@pytest.fixture
def asked(db):
    return lambda path: Client().get(path)


def test_a_process_that_answers_lives(asked):
    answer = asked("/livez")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_living_asks_no_database(asked, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert asked("/livez").status_code == 200


def test_after_a_workers_round_it_is_ready(asked):
    tasks.sweep()
    answer = asked("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": True, "worker": True})
    assert "no-store" in answer["Cache-Control"]


def test_without_a_worker_it_is_not_ready(asked):
    answer = asked("/readyz")
    assert (answer.status_code, answer.json()["worker"]) == (503, False)


def test_without_a_database_it_is_not_ready_and_tells_no_detail(asked, monkeypatch):
    tasks.sweep()
    monkeypatch.setattr("changde.web.health.connection", SimpleNamespace(cursor=broken))
    answer = asked("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": False, "broker": True, "worker": True})


def test_without_a_broker_it_is_not_ready(asked, monkeypatch):
    monkeypatch.setattr("celery.app.base.Celery.connection_for_read", broken)
    answer = asked("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (503, False)


def test_a_workers_mark_does_not_outlive_its_minute():
    assert services.ALIVE_FOR.total_seconds() == 60


def broken(*arguments, **more):
    raise ConnectionError("postgres://secret@host")
