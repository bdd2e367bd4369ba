-- Question: what does each card of one accounting year say to the detectors (households/domain/detection)?
-- Grain: one row per open household with a sheet of the year in a range of villages.
-- Index: households_sheet (village, year, household); member_sheet_once (sheet, person); persons by key.
-- Money in yuan, areas in mu and square metres; ages on the last day of the year. Phones, accounts and addresses are
-- keys for equality only: eight bytes of a keyed hash, never the value.
WITH chosen AS MATERIALIZED (
    SELECT s.*, s.id AS sheet_id, h.number, h.status, h.split_from_id, left(h.head_name, 1) AS surname,
           nullif(h.address, '') AS address, h.phone_hash, h.bank_account_hash
    FROM households_sheet s
    JOIN households_household h ON h.id = s.household_id AND h.status <> 'closed'
    WHERE s.year = %(year)s AND s.village_id BETWEEN %(first)s AND %(last)s
),
counted AS (
    SELECT
        m.sheet_id,
        count(*) AS members,
        coalesce(sum(m.work_months) FILTER (WHERE m.work_place = '乡镇内务工'), 0) AS months_township,
        coalesce(sum(m.work_months) FILTER (WHERE m.work_place = '乡镇外县内务工'), 0) AS months_county,
        coalesce(sum(m.work_months) FILTER (WHERE m.work_place = '县外省内务工'), 0) AS months_province,
        coalesce(sum(m.work_months) FILTER (WHERE m.work_place = '省外务工'), 0) AS months_outside,
        count(*) FILTER (WHERE m.work_place <> '') AS away,
        count(*) FILTER (WHERE m.local_job AND m.work_place = '' AND m.employees_insurance IS NOT TRUE) AS local_workers,
        count(*) FILTER (WHERE m.employees_insurance AND a.age < 60) AS employees,
        count(*) FILTER (WHERE m.public_post) AS public_posts,
        count(*) FILTER (
            WHERE a.age BETWEEN 16 AND 64 AND m.labour IN ('普通劳动力', '技能劳动力') AND m.work_place = ''
              AND m.local_job IS NOT TRUE AND m.employees_insurance IS NOT TRUE
        ) AS idle_able,
        count(*) FILTER (WHERE m.labour IN ('普通劳动力', '技能劳动力')) AS able,
        count(*) FILTER (WHERE a.age >= 60) AS old,
        count(*) FILTER (WHERE m.health && ARRAY['长期慢性病', '患有大病', '残疾']::varchar[]) AS ill,
        max(a.age) FILTER (WHERE m.relation = '户主') AS head_age
    FROM chosen
    JOIN households_membersheet m ON m.sheet_id = chosen.sheet_id
    JOIN households_person p ON p.id = m.person_id
    CROSS JOIN LATERAL (
        SELECT extract(year FROM age(make_date(%(year)s, 9, 30), p.birth_date))::int AS age
    ) a
    WHERE m.counts IS NOT FALSE AND m.soldier IS NOT TRUE
    GROUP BY m.sheet_id
),
split AS (
    SELECT e.household_id, e.other_id, make_date(%(year)s, 9, 30) - e.on AS days
    FROM households_lifeevent e
    WHERE e.kind = 'split' AND e.village_id BETWEEN %(first)s AND %(last)s
      AND NOT EXISTS (SELECT 1 FROM households_lifeevent u WHERE u.undoes_id = e.id)
)
SELECT
    s.household_id, s.village_id, s.number, s.status, s.attribute, s.surname, s.split_from_id AS split_from,
    (SELECT min(split.days) FROM split WHERE s.household_id IN (split.household_id, split.other_id)) AS split_days,
    ('x' || encode(substr(s.phone_hash, 1, 8), 'hex'))::bit(64)::bigint AS phone,
    ('x' || encode(substr(s.bank_account_hash, 1, 8), 'hex'))::bit(64)::bigint AS account,
    hashtextextended(s.address, 0) AS address,
    nullif(s.entered_by, '') AS entered_by, extract(epoch FROM s.entered_at) AS entered_at,
    s.wage_income, s.business_income, s.production_expenses, s.medical_cost, s.other_transfer,
    s.wage_income + s.business_income + s.property_income + s.other_transfer - s.production_expenses AS earned,
    coalesce(s.family_planning, 0) + coalesce(s.dibao, 0) + coalesce(s.wubao, 0) + coalesce(s.pension, 0)
        + coalesce(s.ecological_compensation, 0) AS official,
    s.net_income,
    coalesce(s.irrigated_land, s.cultivated_land, 0) AS irrigated,
    greatest(coalesce(s.cultivated_land, 0) - coalesce(s.irrigated_land, s.cultivated_land, 0), 0) AS dry_land,
    coalesce(s.orchard, 0) AS orchard, coalesce(s.forest_land, 0) AS forest,
    coalesce(s.water_surface, 0) AS water_surface,
    coalesce(s.pigs, 0) AS pigs, coalesce(s.cattle, 0) AS cattle, coalesce(s.sheep, 0) AS sheep,
    coalesce(s.poultry, 0) AS poultry,
    coalesce(s.owns_car, false)::int AS cars, coalesce(s.owns_flat, false)::int AS flats,
    coalesce(s.owns_machine, false)::int AS machines, coalesce(s.owns_company, false)::int AS companies,
    coalesce(s.public_payroll, false)::int AS payroll,
    greatest(coalesce(s.house_area, 0) - 25 * coalesce(c.members, 0), 0) AS house_beyond,
    s.house_area, s.road_distance, coalesce(s.unsafe_house, false)::int AS unsafe_house,
    coalesce(c.members, 0) AS members, coalesce(c.months_township, 0) AS months_township,
    coalesce(c.months_county, 0) AS months_county, coalesce(c.months_province, 0) AS months_province,
    coalesce(c.months_outside, 0) AS months_outside, coalesce(c.away, 0) AS away,
    coalesce(c.local_workers, 0) AS local_workers, coalesce(c.employees, 0) AS employees,
    coalesce(c.public_posts, 0) AS public_posts, coalesce(c.idle_able, 0) AS idle_able, coalesce(c.able, 0) AS able,
    coalesce(c.old, 0) AS old, coalesce(c.ill, 0) AS ill, coalesce(c.head_age, 0) AS head_age
FROM chosen s
LEFT JOIN counted c ON c.sheet_id = s.sheet_id
ORDER BY s.household_id
