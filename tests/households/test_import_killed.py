"""kill -9 in the middle of a write: the import goes on where it stood, nothing twice, nothing half, all judged."""

import io
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from households.domain.card_workbook import open_cards
from households.models import Household, IdentityClaim, ImportBatch, Person, Result, StagedHousehold
from households.services import imports, results
from households.services.index_versions import load_default_versions
from tests.conftest import ROOT, own_environment, wait_until
from tests.households.test_import_cards import many

CHILD = """
import io, sys, django
django.setup()
from households.domain.card_workbook import open_cards
from households.models import ImportBatch
from households.services import imports
batch = ImportBatch.objects.get(pk=int(sys.argv[1]))
with open_cards(io.BytesIO(batch.content)) as book:
    imports.take_in(book=book, batch=batch, by=None, chunk_size=2)
"""


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # inside a transaction the view stands still
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone()[0] > 0


@contextmanager
def importing(batch: ImportBatch):
    """A process that writes the batch in chunks of two; killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(batch.pk)],
        cwd=ROOT,
        env=os.environ | own_environment() | {"DJANGO_SETTINGS_MODULE": "changde.settings"},
    ) as child:
        try:
            yield
        finally:
            os.kill(child.pid, signal.SIGKILL)


@pytest.mark.usefixtures("committed_db")
def test_an_import_that_is_killed_in_the_middle_of_a_chunk_is_finished_once(people):
    content = many(6).getvalue()
    batch = imports.bring(by=people.fengming_cadre, area=None, file_name="cards.xlsx", file=io.BytesIO(content))
    # Somebody holds the third household's number: the child has written one chunk and waits inside the second.
    with transaction.atomic():
        Household.objects.create(village_id=430725103202, number="43072510320290002")
        with importing(batch):
            wait_until(waits_for_a_lock, 90)
        transaction.set_rollback(True)
    batch.refresh_from_db()
    assert (batch.position, batch.created) == (2, 2)
    with open_cards(io.BytesIO(content)) as book:
        imports.take_in(book=book, batch=batch, by=people.fengming_cadre, chunk_size=2)
    batch.refresh_from_db()
    assert (batch.state, batch.created, batch.same) == (ImportBatch.State.DONE, 6, 0)
    assert [model.objects.count() for model in (Household, Person, IdentityClaim, StagedHousehold)] == [6, 6, 6, 6]


@pytest.mark.usefixtures("committed_db")
def test_cards_that_were_written_and_not_judged_when_the_import_was_killed_are_judged_by_the_next_try(people):
    load_default_versions()
    content = many(6).getvalue()
    batch = imports.bring(by=people.fengming_cadre, area=None, file_name="cards.xlsx", file=io.BytesIO(content))
    # Nobody may write results of the township: the child is one chunk ahead of them, and waits.
    with transaction.atomic():
        results.lock_townships(townships=[430725103000], year=2019, shared=False)
        with importing(batch):
            wait_until(lambda: ImportBatch.objects.get(pk=batch.pk).position == 4, 90)
        transaction.set_rollback(True)
    assert (Household.objects.count(), Result.objects.count()) == (4, 0)
    with open_cards(io.BytesIO(content)) as book:
        imports.take_in(book=book, batch=batch, by=people.fengming_cadre, chunk_size=2)
    assert Result.objects.current().filter(year=2019, stale=False).count() == 6


@pytest.mark.usefixtures("committed_db")
def test_cards_are_judged_over_a_connection_of_their_own_and_none_is_left_when_the_write_is_over(monkeypatch):
    load_default_versions()
    judged_by, judge = [], results.recompute_where_ruled

    def watched(households, years):
        judge(households, years)
        judged_by.append((threading.get_ident(), connection.connection.info.backend_pid))

    monkeypatch.setattr(results, "recompute_where_ruled", watched)
    content = many(6)
    batch = imports.open_batch(by=None, file_name="cards.xlsx", content=content.getvalue(), initial=False)
    with open_cards(content) as book:
        imports.take_in(book=book, batch=batch, by=None, chunk_size=2)
    assert Result.objects.current().filter(year=2019, stale=False).count() == 6
    assert len(judged_by) == 3
    assert {threading.get_ident()}.isdisjoint(thread for thread, _pid in judged_by)
    assert connection.connection.info.backend_pid not in {pid for _thread, pid in judged_by}


@pytest.mark.usefixtures("committed_db")
def test_a_judgement_that_fails_costs_the_write_nothing(monkeypatch, caplog):
    monkeypatch.setattr(results, "recompute_households", lambda **_: 1 / 0)
    content = many(4)
    batch = imports.open_batch(by=None, file_name="cards.xlsx", content=content.getvalue(), initial=False)
    with open_cards(content) as book:
        outcome = imports.take_in(book=book, batch=batch, by=None, chunk_size=2)
    assert outcome.created == Household.objects.count() == 4
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.usefixtures("committed_db")
def test_an_import_that_is_cancelled_has_judged_what_it_wrote():
    load_default_versions()
    content = many(6)
    batch = imports.open_batch(by=None, file_name="cards.xlsx", content=content.getvalue(), initial=False)

    def cancel(done: int, total: int) -> None:
        if done == 4:
            raise ConnectionError

    with open_cards(content) as book, pytest.raises(ConnectionError):
        imports.take_in(book=book, batch=batch, by=None, progress=cancel, chunk_size=2)
    assert Result.objects.current().filter(year=2019, stale=False).count() == 4
