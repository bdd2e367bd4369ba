-- Question: which open cards of a range of villages have a member whose number stands on another open card too?
-- Grain: one row per household and person; `others` counts the other cards.
-- Index: person_id_hash (id_number_hash), membership (household), membership_open_once (person).
SELECT m.household_id AS household, m.person_id AS person, count(DISTINCT om.household_id) AS others
FROM households_household h
JOIN households_membership m ON m.household_id = h.id AND m.until IS NULL
JOIN households_person p ON p.id = m.person_id AND p.id_number_hash IS NOT NULL
JOIN households_person o ON o.id_number_hash = p.id_number_hash AND o.id <> p.id
JOIN households_membership om ON om.person_id = o.id AND om.until IS NULL AND om.household_id <> h.id
JOIN households_household oh ON oh.id = om.household_id AND oh.status <> 'closed'
WHERE h.village_id BETWEEN %(first)s AND %(last)s AND h.status <> 'closed'
GROUP BY m.household_id, m.person_id
