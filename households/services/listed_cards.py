"""The copies behind the list of cards and its search: filled at once after a load, mended where it differs."""

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
_ALL_MEMBERS = """
INSERT INTO households_listedmember (person_id, village_id, head_pinyin, name, pinyin, initials, household_id)
SELECT p.id, h.village_id, h.head_pinyin, p.name, p.pinyin, p.initials, h.id
FROM households_membership m
JOIN households_household h ON h.id = m.household_id
JOIN households_person p ON p.id = m.person_id
WHERE m.until IS NULL AND h.status <> 'closed'
ON CONFLICT DO NOTHING
"""
_ALL_WITHOUT_LABOUR = """
INSERT INTO households_listedwithoutlabour (sheet_id, year, village_id, head_pinyin, household_id)
SELECT f.sheet_id, f.year, f.village_id, f.head_pinyin, f.household_id
FROM without_labour_of(ARRAY(
    SELECT sheet_id FROM households_membersheet GROUP BY sheet_id
    HAVING bool_and(labour NOT IN ('普通劳动力', '技能劳动力', '弱劳动力或半劳动力', '')))) f
ON CONFLICT DO NOTHING
"""


def hold_lists() -> None:
    """Until the end of the transaction no trigger lists cards: the caller loads a city and lists it with `list_all`."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL changde.lists_wait = 'on'")


def list_all() -> None:
    """List every card, member and household without labour not listed yet, in one statement each."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL)
        cursor.execute(_ALL_MEMBERS)
        cursor.execute(_ALL_WITHOUT_LABOUR)


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
        cursor.execute(
            "SELECT list_members(ARRAY("
            " SELECT person_id FROM households_membership WHERE household_id = ANY (%s)"
            " UNION SELECT person_id FROM households_listedmember WHERE household_id = ANY (%s)))",
            [list(households), list(households)],
        )
        cursor.execute(
            "SELECT list_without_labour(ARRAY(SELECT id FROM households_sheet WHERE household_id = ANY (%s)))",
            [list(households)],
        )
    record("households.list_cards_again", by=None, households=len(households))
