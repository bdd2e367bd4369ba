-- Question: which open members of an area stand in versions of a register, and what does their card say?
-- Grain: one row per entry that carries the number of an open member, household by household.
-- Index: identityclaim by its key (number hash), registerentry (version, number_hash); sheet_once_a_year,
-- member_sheet_once. Either side may drive the join: a city by hash join, a township by its claims.
-- A version speaks of the cards of the division it covers, and of no other. The card is its latest sheet up to the year.
WITH version AS (
    SELECT * FROM unnest(%(versions)s::bigint[], %(firsts)s::bigint[], %(lasts)s::bigint[]) AS v (id, first, last)
)
SELECT
    h.id, h.status, s.year, s.attribute, s.per_capita_income::float8, s.wage_income::float8, s.dibao::float8,
    s.net_income::float8, s.medical_cost::float8,
    s.owns_car, s.owns_machine, s.owns_flat, s.owns_company, s.public_payroll,
    c.person_id, p.birth_date, m.counts, m.school_status, m.health, m.public_post, m.dibao AS member_dibao, m.residents_insurance,
    e.version_id, e.facts::text
FROM version v
JOIN households_registerentry e ON e.version_id = v.id
JOIN households_identityclaim c ON c.number_hash = e.number_hash
JOIN households_household h ON h.id = c.household_id AND h.status <> 'closed'
    AND h.village_id BETWEEN greatest(v.first, %(first)s) AND least(v.last, %(last)s)
JOIN households_person p ON p.id = c.person_id
LEFT JOIN LATERAL (
    SELECT * FROM households_sheet sheet
    WHERE sheet.household_id = h.id AND sheet.year <= %(year)s
    ORDER BY sheet.year DESC
    LIMIT 1
) s ON true
LEFT JOIN households_membersheet m ON m.sheet_id = s.id AND m.person_id = c.person_id
ORDER BY h.id, e.version_id, e.id
