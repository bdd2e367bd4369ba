-- Question: which two records may be one person?
-- Grain: writes one open case a pair (or a waiting card, or a number a form wanted), for the lowest division that
-- covers both. A pair that is open, or that an office has called distinct, is not written again.
-- Bounds: pairs of which at least one side lives in a village of [first, last]; the whole city every night.
-- Index: person_name_birth (name, birth_date) groups the whole city without a sort; membership_open_once (person);
-- household (village, ...) for an area; household_phone_hash and person_phone_hash.
WITH home AS (
    SELECT m.person_id, m.household_id, h.village_id, h.phone_hash AS card_phone
    FROM households_membership m
    JOIN households_household h ON h.id = m.household_id AND h.status <> 'closed'
    WHERE m.until IS NULL
),
-- (b) the same name and birth date. Two valid numbers that differ are two people, unless they live in one township:
-- there the number may have been invented for a second card.
doubled AS (
    SELECT name, birth_date FROM households_person
    WHERE birth_date IS NOT NULL AND name <> ''
    GROUP BY name, birth_date HAVING count(*) > 1
),
namesakes AS (
    SELECT 'name_birth' AS kind, a.id AS first_person, b.id AS second_person
    FROM doubled d
    JOIN households_person a ON a.name = d.name AND a.birth_date = d.birth_date
    JOIN households_person b ON b.name = d.name AND b.birth_date = d.birth_date AND b.id > a.id
    JOIN home ha ON ha.person_id = a.id
    JOIN home hb ON hb.person_id = b.id AND hb.household_id <> ha.household_id
    WHERE (ha.village_id BETWEEN %(first)s AND %(last)s OR hb.village_id BETWEEN %(first)s AND %(last)s)
      AND (a.id_number_hash IS NULL OR b.id_number_hash IS NULL OR ha.village_id / 1000 = hb.village_id / 1000)
),
-- (c) the same village and phone (the person's or the card's), and names of one sound or one character apart
phones AS (
    SELECT home.village_id, home.household_id, p.id, p.name, p.pinyin, coalesce(p.phone_hash, home.card_phone) AS phone
    FROM home JOIN households_person p ON p.id = home.person_id
    WHERE home.village_id BETWEEN %(first)s AND %(last)s AND coalesce(p.phone_hash, home.card_phone) IS NOT NULL
),
near AS (
    SELECT 'near_name' AS kind, a.id AS first_person, b.id AS second_person
    FROM phones a
    JOIN phones b ON b.village_id = a.village_id AND b.phone = a.phone AND b.id > a.id
        AND b.household_id <> a.household_id
    WHERE char_length(a.name) >= 2
      AND (a.pinyin = b.pinyin AND a.pinyin <> ''
           OR char_length(a.name) = char_length(b.name)
              AND (SELECT count(*) FROM generate_series(1, char_length(a.name)) AS place
                   WHERE substr(a.name, place, 1) <> substr(b.name, place, 1)) = 1)
),
pairs AS (
    SELECT DISTINCT ON (first_person, second_person) kind, first_person, second_person
    FROM (SELECT * FROM namesakes UNION ALL SELECT * FROM near) AS found
    ORDER BY first_person, second_person, kind
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
    SELECT p.kind, ha.household_id AS first_id, p.first_person, hb.household_id AS second_id, p.second_person,
           NULL::bigint AS waiting_id, NULL::bigint AS finding_id, NULL::bigint AS typed_in,
           ha.village_id AS one, hb.village_id AS other
    FROM pairs p
    JOIN home ha ON ha.person_id = p.first_person
    JOIN home hb ON hb.person_id = p.second_person
    WHERE NOT EXISTS (SELECT 1 FROM households_distinctpair d
                      WHERE d.first_person_id = p.first_person AND d.second_person_id = p.second_person)
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
