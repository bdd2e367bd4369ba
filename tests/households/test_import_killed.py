"""kill -9 in the middle of a write: the import goes on where it stood, nothing twice and nothing half."""

import io
import os
import signal
import subprocess
import sys

import pytest
from django.db import connection, transaction

from households.domain.card_workbook import open_cards
from households.models import Household, IdentityClaim, ImportBatch, Person, StagedHousehold
from households.services import imports
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


@pytest.mark.usefixtures("committed_db")
def test_an_import_that_is_killed_in_the_middle_of_a_chunk_is_finished_once(people):
    content = many(6).getvalue()
    batch = imports.bring(by=people.fengming_cadre, area=None, file_name="cards.xlsx", file=io.BytesIO(content))
    # Somebody holds the third household's number: the child has written one chunk and waits inside the second.
    with transaction.atomic():
        Household.objects.create(village_id=430725103202, number="43072510320290002")
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(batch.pk)],
            cwd=ROOT,
            env=os.environ | own_environment() | {"DJANGO_SETTINGS_MODULE": "changde.settings"},
        )
        try:
            wait_until(waits_for_a_lock, 40)
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        transaction.set_rollback(True)
    batch.refresh_from_db()
    assert (batch.position, batch.created) == (2, 2)
    with open_cards(io.BytesIO(content)) as book:
        imports.take_in(book=book, batch=batch, by=people.fengming_cadre, chunk_size=2)
    batch.refresh_from_db()
    assert (batch.state, batch.created, batch.same) == (ImportBatch.State.DONE, 6, 0)
    assert [model.objects.count() for model in (Household, Person, IdentityClaim, StagedHousehold)] == [6, 6, 6, 6]
