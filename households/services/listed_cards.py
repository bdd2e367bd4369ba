"""The copy behind the list of cards: filled at once after a load, mended where it differs."""

from collections.abc import Sequence

from django.db import connection, transaction

from changde.audit.services import record

_ALL = """
INSERT INTO households_listedcard (sheet_id, year, village_id, head_pinyin, cause, outcome, household_id)
SELECT s.id, s.year, h.village_id, h.head_pinyin, s.main_cause, coalesce(r.outcome, ''), h.id
FROM households_household h
JOIN households_sheet s ON s.household_id = h.id
LEFT JOIN (households_result r
           JOIN households_townshippointer p
             ON p.run_id = r.run_id AND p.year = r.year AND p.township_id = r.village_id - r.village_id % 1000)
  ON r.household_id = h.id AND r.year = s.year
WHERE h.status <> 'closed'
ON CONFLICT DO NOTHING
"""


def hold_lists() -> None:
    """Until the end of the transaction no trigger lists cards: the caller loads a city and lists it with `list_all`."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL changde.lists_wait = 'on'")


def list_all() -> None:
    """List every card that is not listed, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL)


@transaction.atomic
def list_again(*, households: Sequence[int]) -> None:
    """Write the rows of these households anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM households_listedcard WHERE sheet_id IN"
            " (SELECT id FROM households_sheet WHERE household_id = ANY (%s))",
            [list(households)],
        )
        cursor.execute("SELECT list_cards(%s)", [list(households)])
    record("households.list_cards_again", by=None, households=len(households))
