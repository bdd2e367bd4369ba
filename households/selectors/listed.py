"""Does the copy behind the list say what its sources say?"""

from django.db import connection


def differing_households() -> list[int]:
    """Households with a sheet whose row is missing, is too many, or says something else; village by village."""
    found: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT village_id FROM households_household ORDER BY 1")
        for (village,) in cursor.fetchall():
            cursor.execute(
                """
                WITH ids AS (SELECT array_agg(id) AS of FROM households_household WHERE village_id = %s),
                     should AS (SELECT f.* FROM ids, listed_cards_of(ids.of) f),
                     stands AS (SELECT l.* FROM ids, households_listedcard l
                                JOIN households_sheet s ON s.id = l.sheet_id WHERE s.household_id = ANY (ids.of))
                SELECT household_id FROM (TABLE should EXCEPT TABLE stands) missing
                UNION
                SELECT household_id FROM (TABLE stands EXCEPT TABLE should) extra
                """,
                [village],
            )
            found += [household for (household,) in cursor.fetchall()]
    return found
