-- Question: what changed within a year for the households nobody helps? (domain/detection/sudden_hardship.py)
-- Grain: one row per open household, never registered or exited, with a sheet of the year in a range of villages.
-- Index: households_sheet (village, year, household); sheet_once_a_year; member_sheet_once (sheet, person); memberships
-- by household; registerentry (version, number_hash). Who died holds no identity claim: the number is the person's own.
-- Money in yuan. `died`: who worked by the sheet of the year before and died within the accounting year, by the card's
-- own event or by a register of deaths in force for the village.
WITH chosen AS MATERIALIZED (
    SELECT s.*, v.disasters
    FROM households_sheet s
    JOIN households_household h ON h.id = s.household_id AND h.status IN ('unregistered', 'exited')
    LEFT JOIN households_villagecard v ON v.village_id = s.village_id AND v.year = s.year
    WHERE s.year = %(year)s AND s.village_id BETWEEN %(first)s AND %(last)s
),
before AS MATERIALIZED (
    SELECT b.* FROM households_sheet b JOIN chosen ON chosen.household_id = b.household_id AND b.year = %(year)s - 1
),
version AS (
    SELECT * FROM unnest(%(versions)s::bigint[], %(firsts)s::bigint[], %(lasts)s::bigint[]) AS v (id, first, last)
),
gone AS MATERIALIZED (
    SELECT m.household_id, m.person_id, m.until, m.end_reason, p.id_number_hash, before.id AS sheet_id,
           before.village_id
    FROM before
    JOIN households_membership m ON m.household_id = before.household_id
     AND m.until BETWEEN make_date(%(year)s - 1, 10, 1) AND make_date(%(year)s, 9, 30)
    JOIN households_person p ON p.id = m.person_id
),
died AS (
    SELECT gone.household_id, count(DISTINCT gone.person_id) AS persons
    FROM gone
    JOIN households_membersheet w ON w.sheet_id = gone.sheet_id AND w.person_id = gone.person_id
     AND (w.work_months >= 3 OR w.local_job OR w.employees_insurance)
    WHERE gone.end_reason = 'died' OR EXISTS (
        SELECT 1 FROM households_registerentry e
        JOIN version v ON v.id = e.version_id AND gone.village_id BETWEEN v.first AND v.last
        WHERE e.number_hash = gone.id_number_hash
          AND (e.facts ->> 'died_on')::date BETWEEN make_date(%(year)s - 1, 10, 1) AND make_date(%(year)s, 9, 30)
    )
    GROUP BY gone.household_id
),
working AS (
    SELECT m.sheet_id,
           count(*) FILTER (WHERE m.work_place <> '' OR m.local_job OR m.employees_insurance
                               OR m.labour IN ('普通劳动力', '技能劳动力')) AS workers
    FROM chosen JOIN households_membersheet m ON m.sheet_id = chosen.id
    GROUP BY m.sheet_id
)
SELECT
    s.household_id, s.village_id,
    s.members_counted AS members, s.net_income AS net, s.wage_income AS wage, s.business_income AS business,
    s.production_expenses AS expenses, s.medical_cost AS bills, coalesce(working.workers, 0) AS workers,
    coalesce(s.unsafe_house, false)::int AS unsafe,
    b.members_counted AS members_before, b.net_income AS net_before, b.wage_income AS wage_before,
    b.business_income AS business_before, b.production_expenses AS expenses_before, b.medical_cost AS bills_before,
    b.unsafe_house::int AS unsafe_before,
    (array_remove(s.disasters, '无') <> '{}')::int AS disaster,
    coalesce(died.persons, 0) AS died
FROM chosen s
LEFT JOIN before b ON b.household_id = s.household_id
LEFT JOIN working ON working.sheet_id = s.id
LEFT JOIN died ON died.household_id = s.household_id
WHERE s.net_income IS NOT NULL
ORDER BY s.household_id
