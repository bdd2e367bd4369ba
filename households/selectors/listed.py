"""Do the copies behind the list and its search say what their sources say?"""

from django.db import connection


def differing_households() -> list[int]:
    """Households whose row, or a member's, is missing, is too many, or says something else; village by village."""
    found: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT village_id FROM households_household ORDER BY 1")
        for (village,) in cursor.fetchall():
            cursor.execute(
                """
                WITH ids AS (SELECT array_agg(id) AS of FROM households_household WHERE village_id = %s),
                     should AS (SELECT f.* FROM ids, listed_cards_of(ids.of) f),
                     stands AS (SELECT l.* FROM ids, households_listedcard l
                                JOIN households_sheet s ON s.id = l.sheet_id WHERE s.household_id = ANY (ids.of)),
                     persons AS (SELECT array_agg(person_id) AS of FROM (
                                     SELECT m.person_id FROM ids, households_membership m
                                     WHERE m.household_id = ANY (ids.of)
                                     UNION
                                     SELECT person_id FROM households_listedmember WHERE village_id = %s) named),
                     members AS (SELECT f.* FROM persons, listed_members_of(persons.of) f),
                     listed AS (SELECT l.* FROM persons, households_listedmember l
                                WHERE l.person_id = ANY (persons.of)),
                     sheets AS (SELECT array_agg(s.id) AS of FROM ids, households_sheet s
                                WHERE s.household_id = ANY (ids.of)),
                     without AS (SELECT f.* FROM sheets, without_labour_of(sheets.of) f),
                     labour AS (SELECT l.* FROM sheets, households_listedwithoutlabour l
                                WHERE l.sheet_id = ANY (sheets.of))
                SELECT household_id FROM (TABLE should EXCEPT TABLE stands) missing
                UNION
                SELECT household_id FROM (TABLE stands EXCEPT TABLE should) extra
                UNION
                SELECT household_id FROM (TABLE members EXCEPT TABLE listed) missing_member
                UNION
                SELECT household_id FROM (TABLE listed EXCEPT TABLE members) extra_member
                UNION
                SELECT household_id FROM (TABLE without EXCEPT TABLE labour) missing_without
                UNION
                SELECT household_id FROM (TABLE labour EXCEPT TABLE without) extra_without
                """,
                [village, village],
            )
            found += [household for (household,) in cursor.fetchall()]
    return found
