-- Question: which households of a range of villages are tied to a village cadre of the county, and how?
-- Grain: one row per household, cadre and rule; `relation` only of declared relatives.
-- Bounds: cadres of [county_first, county_last] in office at the end of the year; households of [first, last].
-- Index: cadres and relatives are few; persons by id_number_hash, households by phone_hash, bank_account_hash,
-- split_from and village.
-- A cadre's own household is the one where a member holds the cadre's number. Phones and accounts are keyed hashes.
WITH cadre AS MATERIALIZED (
    SELECT id, village_id, post, number_hash, phone_hash, account_hash
    FROM households_villagecadre
    WHERE village_id BETWEEN %(county_first)s AND %(county_last)s
      AND (valid_from IS NULL OR valid_from <= make_date(%(year)s, 9, 30))
      AND (valid_to IS NULL OR valid_to >= make_date(%(year)s, 9, 30))
),
own AS MATERIALIZED (
    SELECT cadre.id AS cadre, h.id AS household, h.village_id, h.phone_hash, h.bank_account_hash, h.split_from_id,
           s.house_area, s.road_distance
    FROM cadre
    JOIN households_person p ON p.id_number_hash = cadre.number_hash
    JOIN households_membership m ON m.person_id = p.id AND m.until IS NULL
    JOIN households_household h ON h.id = m.household_id AND h.status <> 'closed'
    LEFT JOIN households_sheet s ON s.household_id = h.id AND s.year = %(year)s
),
relative AS MATERIALIZED (
    SELECT r.cadre_id AS cadre, r.relation, r.number_hash
    FROM households_cadrerelative r JOIN cadre ON cadre.id = r.cadre_id
    WHERE r.number_hash IS NOT NULL
),
tie AS (
    SELECT household, cadre, 'kin_of_cadre_itself' AS rule, '' AS relation FROM own
    UNION ALL
    SELECT m.household_id, relative.cadre, 'kin_declared', relative.relation
    FROM relative
    JOIN households_person p ON p.id_number_hash = relative.number_hash
    JOIN households_membership m ON m.person_id = p.id AND m.until IS NULL
    UNION ALL
    SELECT h.id, cadre.id, 'kin_phone', ''
    FROM cadre JOIN households_household h ON h.phone_hash = cadre.phone_hash
    UNION ALL
    SELECT m.household_id, cadre.id, 'kin_phone', ''
    FROM cadre
    JOIN households_person p ON p.phone_hash = cadre.phone_hash
    JOIN households_membership m ON m.person_id = p.id AND m.until IS NULL
    UNION ALL
    SELECT h.id, own.cadre, 'kin_phone', ''
    FROM own JOIN households_household h ON h.phone_hash = own.phone_hash
    UNION ALL
    SELECT h.id, cadre.id, 'kin_account', ''
    FROM cadre JOIN households_household h ON h.bank_account_hash = cadre.account_hash
    UNION ALL
    SELECT h.id, own.cadre, 'kin_account', ''
    FROM own JOIN households_household h ON h.bank_account_hash = own.bank_account_hash
    UNION ALL
    SELECT h.id, own.cadre, 'kin_split', ''
    FROM own JOIN households_household h ON h.split_from_id = own.household
    UNION ALL
    SELECT h.id, own.cadre, 'kin_split', ''
    FROM own JOIN households_household h ON h.id = own.split_from_id
    UNION ALL
    SELECT s.household_id, own.cadre, 'kin_house', ''
    FROM own
    JOIN households_sheet s ON s.village_id = own.village_id AND s.year = %(year)s
     AND s.house_area = own.house_area AND s.road_distance = own.road_distance
)
SELECT tie.household, tie.cadre, tie.rule, max(tie.relation) AS relation, max(cadre.post) AS post,
       bool_or(cadre.village_id = h.village_id) AS same_village
FROM tie
JOIN cadre ON cadre.id = tie.cadre
JOIN households_household h ON h.id = tie.household AND h.status <> 'closed'
 AND h.village_id BETWEEN %(first)s AND %(last)s
WHERE tie.rule = 'kin_of_cadre_itself' OR NOT EXISTS (
    SELECT 1 FROM own WHERE own.cadre = tie.cadre AND own.household = tie.household
)
GROUP BY tie.household, tie.cadre, tie.rule
