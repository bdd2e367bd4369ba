-- Question: what do other rows say about these households (domain.checks.Beside)?
-- Grain: one row per household of %(ids)s, with the year of its latest sheet.
-- Index: sheet_once_a_year (household, year); household_phone_hash; membership (household, position, id) and
-- membership_open_once (person); the primary key of the claims; the history by its row. No step reads a whole table.
WITH card AS (
    SELECT h.id, h.village_id, h.phone_hash, h.status, h.status_since, h.changed_at, latest.year
    FROM households_household h
    LEFT JOIN LATERAL (
        SELECT s.year FROM households_sheet s WHERE s.household_id = h.id ORDER BY s.year DESC LIMIT 1
    ) latest ON true
    WHERE h.id = ANY (%(ids)s::bigint[])
)
SELECT
    card.id,
    card.year,
    (
        SELECT s.per_capita_income FROM households_sheet s
        WHERE s.household_id = card.id AND s.year = card.year - 1
    ) AS last_per_capita,
    card.phone_hash IS NOT NULL AND EXISTS (
        SELECT FROM households_household other
        WHERE other.phone_hash = card.phone_hash AND other.village_id <> card.village_id AND other.status <> 'closed'
    ) AS phone_elsewhere,
    -- Lived here at least a day, left within the sheet's year or later, for no reason that is an event, and is on no
    -- card now.
    ARRAY (
        SELECT DISTINCT m.person_id FROM households_membership m
        WHERE m.household_id = card.id
          AND m.until >= make_date(card.year - 1, 10, 1)
          AND m.end_reason IN ('', 'removed')
          AND (m.since IS NULL OR m.since < m.until)
          AND NOT EXISTS (
              SELECT FROM households_membership now WHERE now.person_id = m.person_id AND now.until IS NULL
          )
        ORDER BY m.person_id
    ) AS left_without_event,
    ARRAY (
        SELECT m.person_id FROM households_membership m
        JOIN households_person p ON p.id = m.person_id
        JOIN households_identityclaim claim ON claim.number_hash = p.id_number_hash
        WHERE m.household_id = card.id AND m.until IS NULL AND claim.household_id <> card.id
    ) AS numbers_elsewhere,
    risk.status_since AS identified,
    -- The day the next state of the row names; the history keeps rows as they were before a change.
    CASE WHEN risk.pgh_id IS NOT NULL THEN coalesce(
        (
            SELECT after.status_since FROM households_householdevent after
            WHERE after.pgh_obj_id = card.id AND after.pgh_id > risk.pgh_id
            ORDER BY after.pgh_id LIMIT 1
        ),
        card.status_since
    ) END AS risk_removed,
    (card.changed_at AT TIME ZONE 'Asia/Shanghai')::date AS touched
FROM card
LEFT JOIN LATERAL (
    SELECT e.pgh_id, e.status_since FROM households_householdevent e
    WHERE e.pgh_obj_id = card.id AND e.status = 'monitored'
    ORDER BY e.pgh_id DESC LIMIT 1
) risk ON card.status <> 'monitored'
