-- Question: which two records may be one person?
-- Grain: writes one open case a pair (or a waiting card, or a number a form wanted), for the lowest division that
-- covers both. A pair that is open, or that an office has called distinct, is not written again.
-- Bounds: pairs of which at least one side lives in a village of [first, last]; the whole city every night.
-- Index: household (village, ...) and membership (household) for an area; person_name_birth (name, birth_date) for its
-- namesakes anywhere; membership_open_once (person). For the whole city the planner reads the tables and hashes them.
WITH home AS NOT MATERIALIZED (
    SELECT m.person_id, m.household_id, h.village_id
    FROM households_membership m
    JOIN households_household h ON h.id = m.household_id AND h.status <> 'closed'
    WHERE m.until IS NULL
),
cards AS MATERIALIZED (
    SELECT id, village_id, phone_hash FROM households_household
    WHERE village_id BETWEEN %(first)s AND %(last)s AND status <> 'closed'
),
here AS MATERIALIZED (
    SELECT cards.village_id, m.household_id, p.id, p.name, p.pinyin, p.birth_date, p.id_number_hash,
           coalesce(p.phone_hash, cards.phone_hash) AS phone
    FROM cards
    JOIN households_membership m ON m.household_id = cards.id AND m.until IS NULL
    JOIN households_person p ON p.id = m.person_id
),
-- (b) the same name and birth date. Two numbers that differ are two people, unless they live in one township: there
-- the number may have been invented for a second card.
alike AS MATERIALIZED (
    SELECT a.id, a.household_id, a.village_id, b.id AS other, a.id_number_hash IS NULL OR b.id_number_hash IS NULL AS open
    FROM here a
    JOIN households_person b ON b.name = a.name AND b.birth_date = a.birth_date AND b.id <> a.id
    WHERE a.name <> ''
),
namesakes AS (
    SELECT 'name_birth' AS kind, alike.id, alike.household_id, alike.village_id,
           home.person_id AS other, home.household_id AS other_household, home.village_id AS other_village
    FROM alike
    JOIN home ON home.person_id = alike.other AND home.household_id <> alike.household_id
    WHERE alike.open OR alike.village_id / 1000 = home.village_id / 1000
),
-- (c) the same village and phone (the person's or the card's), and names of one sound or one character apart
near AS (
    SELECT 'near_name' AS kind, a.id, a.household_id, a.village_id, b.id AS other, b.household_id AS other_household,
           b.village_id AS other_village
    FROM here a
    JOIN here b ON b.village_id = a.village_id AND b.phone = a.phone AND b.id > a.id
        AND b.household_id <> a.household_id
    WHERE char_length(a.name) >= 2
      AND (a.pinyin = b.pinyin AND a.pinyin <> ''
           OR char_length(a.name) = char_length(b.name)
              AND (SELECT count(*) FROM generate_series(1, char_length(a.name)) AS place
                   WHERE substr(a.name, place, 1) <> substr(b.name, place, 1)) = 1)
),
-- once each, the lower id first
pairs AS (
    SELECT DISTINCT ON (least(id, other), greatest(id, other))
           kind,
           CASE WHEN id < other THEN household_id ELSE other_household END AS first_id,
           least(id, other) AS first_person,
           CASE WHEN id < other THEN other_household ELSE household_id END AS second_id,
           greatest(id, other) AS second_person,
           village_id AS one, other_village AS other
    FROM (SELECT * FROM namesakes UNION ALL SELECT * FROM near) AS found
    ORDER BY least(id, other), greatest(id, other), kind
),
-- (a) a number that another card holds: the card waits outside the tables, or a form was refused
waits AS (
    SELECT w.id AS waiting_id, c.household_id, c.person_id, h.village_id, w.village_id AS wanted_in
    FROM households_waitinghousehold w
    JOIN households_identityclaim c ON c.number_hash = w.number_hash
    JOIN households_household h ON h.id = c.household_id
    WHERE w.settled_at IS NULL
      AND (w.village_id BETWEEN %(first)s AND %(last)s OR h.village_id BETWEEN %(first)s AND %(last)s)
),
forms AS (
    SELECT f.id AS finding_id, f.household_id, f.person_id, f.village_id,
           coalesce((f.facts ->> 'wanted_in')::bigint, f.village_id) AS wanted_in
    FROM households_finding f
    WHERE f.decided_at IS NULL AND f.kind = 'duplicate_number' AND f.person_id IS NOT NULL
      AND (f.village_id BETWEEN %(first)s AND %(last)s
           OR (f.facts ->> 'wanted_in')::bigint BETWEEN %(first)s AND %(last)s)
      AND NOT EXISTS (SELECT 1 FROM waits w WHERE w.person_id = f.person_id)
),
cases AS (
    SELECT kind, first_id, first_person, second_id, second_person,
           NULL::bigint AS waiting_id, NULL::bigint AS finding_id, NULL::bigint AS typed_in, one, other
    FROM pairs
    WHERE NOT EXISTS (SELECT 1 FROM households_distinctpair d
                      WHERE d.first_person_id = first_person AND d.second_person_id = second_person)
    UNION ALL
    SELECT 'number', household_id, person_id, NULL, NULL, waiting_id, NULL, wanted_in, village_id, wanted_in FROM waits
    UNION ALL
    SELECT 'number', household_id, person_id, NULL, NULL, NULL, finding_id, wanted_in, village_id, wanted_in FROM forms
)
INSERT INTO households_duplicatecase
    (kind, area, first_id, first_person_id, second_id, second_person_id, waiting_id, finding_id, typed_in,
     decision, reason)
SELECT kind,
       CASE WHEN one = other THEN one
            WHEN one / 1000 = other / 1000 THEN one / 1000 * 1000
            WHEN one / 1000000 = other / 1000000 THEN one / 1000000 * 1000000
            ELSE one / 100000000 * 100000000 END,
       first_id, first_person, second_id, second_person, waiting_id, finding_id, typed_in, '', ''
FROM cases
ON CONFLICT DO NOTHING
RETURNING id
