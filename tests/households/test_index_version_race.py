"""Two who number versions of one place and year at once, in transactions that really commit."""

import threading

from django.db import DatabaseError, connection, transaction

from changde.divisions.models import Division
from households.services.index_versions import draft_version
from tests.conftest import wait_until
from tests.households import golden
from tests.personas import TAOYUAN


def test_two_drafts_begun_at_the_same_moment_get_two_numbers(committed_db):
    """The second is begun while the first is not committed yet."""
    taoyuan, said = Division.objects.get(code=TAOYUAN), []

    def draft() -> None:
        try:
            said.append(draft_version(division=taoyuan, system=golden.DEFAULTS[2019], by=None).number)
        except DatabaseError as error:
            said.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=draft)
    with transaction.atomic():
        first = draft_version(division=taoyuan, system=golden.DEFAULTS[2019], by=None)
        other.start()
        wait_until(somebody_waits)
    other.join(timeout=20)
    assert (first.number, said) == (1, [2])


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
        return cursor.rowcount > 0
