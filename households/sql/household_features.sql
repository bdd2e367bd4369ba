-- Question: what does each household's card of one accounting year say to the index rules?
-- Grain: one row per open household with a sheet of the year in a range of villages (or among the given households).
-- Index: households_sheet (village, year, household); member_sheet_once (sheet, person); persons by key.
-- Twin: the answers of members repeat households/domain/features.py (member_answers); tests hold the two together.
-- Money in fen, areas and distances in hundredths; empty is NULL (unknown). SQL's AND, OR, NOT are three-valued too:
-- x_unknown counts members for whom an answer is NULL.
WITH chosen AS (
    SELECT s.*, h.version AS card_version, h.persons AS card_persons, h.status AS card_status
    FROM households_sheet s
    JOIN households_household h ON h.id = s.household_id AND h.status <> 'closed'
    WHERE s.year = %(year)s
      AND s.village_id BETWEEN %(first)s AND %(last)s
      AND (%(households)s::bigint[] IS NULL OR s.household_id = ANY (%(households)s::bigint[]))
),
answers AS (
    SELECT
        m.sheet_id,
        p.birth_date, m.health, m.education, m.school_status, m.residents_insurance, m.employees_insurance, m.labour,
        nullif(m.health, '{}') && ARRAY['长期慢性病', '患有大病', '残疾']::varchar[] AS ill,
        nullif(m.health, '{}') && ARRAY['残疾']::varchar[] AS disabled,
        NOT m.residents_insurance AND NOT m.employees_insurance AS uninsured,
        p.birth_date > make_date(%(year)s - 60, 9, 30)
            AND p.birth_date <= make_date(%(year)s - 16, 9, 30) AS working_age,
        p.birth_date <= make_date(%(year)s - 16, 9, 30) AS sixteen,
        p.birth_date > make_date(%(year)s - 16, 9, 30)
            AND p.birth_date <= make_date(%(year)s - 6, 8, 31) AS school_age,
        nullif(m.school_status, '') IN
            ('学前教育', '小学', '初中', '普通高中', '中职', '高职高专', '本科', '硕士及以上') AS in_school,
        CASE
            WHEN m.school_status IN ('普通高中', '中职', '高职高专', '本科', '硕士及以上') THEN true
            WHEN m.school_status IN ('学前教育', '小学', '初中') THEN false
            ELSE nullif(m.education, '') IN ('初中', '高中', '中专', '大专', '本科及以上')
        END AS finished,
        nullif(m.labour, '') IN ('普通劳动力', '技能劳动力', '弱劳动力或半劳动力') AS able
    FROM chosen
    JOIN households_membersheet m ON m.sheet_id = chosen.id
    JOIN households_person p ON p.id = m.person_id
    WHERE m.counts IS NOT FALSE AND m.soldier IS NOT TRUE
),
counted AS (
    SELECT
        sheet_id,
        count(*) AS members,
        count(*) FILTER (WHERE ill) AS ill_members,
        count(*) FILTER (WHERE ill IS NULL) AS ill_members_unknown,
        count(*) FILTER (WHERE ill AND working_age) AS ill_working_age,
        count(*) FILTER (WHERE (ill AND working_age) IS NULL) AS ill_working_age_unknown,
        count(*) FILTER (WHERE uninsured) AS uninsured_members,
        count(*) FILTER (WHERE uninsured IS NULL) AS uninsured_members_unknown,
        count(*) FILTER (WHERE school_age AND NOT in_school AND NOT finished) AS out_of_school,
        count(*) FILTER (WHERE (school_age AND NOT in_school AND NOT finished) IS NULL) AS out_of_school_unknown,
        count(*) FILTER (WHERE sixteen AND finished) AS schooled_adults,
        count(*) FILTER (WHERE (sixteen AND finished) IS NULL) AS schooled_adults_unknown,
        count(*) FILTER (WHERE working_age AND able) AS able_members,
        count(*) FILTER (WHERE (working_age AND able) IS NULL) AS able_members_unknown,
        count(*) FILTER (WHERE disabled) AS disabled_members,
        count(*) FILTER (WHERE disabled IS NULL) AS disabled_members_unknown,
        bit_or(
            (birth_date IS NULL)::int
            | ((health = '{}')::int << 1)
            | ((education = '')::int << 2)
            | ((school_status = '')::int << 3)
            | ((residents_insurance IS NULL)::int << 4)
            | ((employees_insurance IS NULL)::int << 5)
            | ((labour = '')::int << 6)
        ) AS members_missing
    FROM answers
    GROUP BY sheet_id
)
SELECT
    s.household_id, s.village_id, s.card_version, s.card_persons, s.card_status, coalesce(v.version, 0) AS village_card_version,
    (s.wage_income * 100)::bigint AS wage_income,
    (s.business_income * 100)::bigint AS business_income,
    (s.property_income * 100)::bigint AS property_income,
    (s.family_planning * 100)::bigint AS family_planning,
    (s.dibao * 100)::bigint AS dibao,
    (s.wubao * 100)::bigint AS wubao,
    (s.pension * 100)::bigint AS pension,
    (s.ecological_compensation * 100)::bigint AS ecological_compensation,
    (s.other_transfer * 100)::bigint AS other_transfer,
    (s.production_expenses * 100)::bigint AS production_expenses,
    (s.medical_cost * 100)::bigint AS medical_cost,
    (s.cultivated_land * 100)::bigint AS cultivated_land,
    (s.irrigated_land * 100)::bigint AS irrigated_land,
    (s.forest_land * 100)::bigint AS forest_land,
    (s.orchard * 100)::bigint AS orchard,
    (s.pasture * 100)::bigint AS pasture,
    (s.water_surface * 100)::bigint AS water_surface,
    s.pigs, s.cattle, s.sheep, s.poultry,
    (s.house_area * 100)::bigint AS house_area,
    (s.road_distance * 100)::bigint AS road_distance,
    s.production_power, s.domestic_power, s.water_difficult, s.water_safe, s.unsafe_house, s.sanitary_toilet,
    s.cooperative, s.television, s.broadband,
    s.owns_car, s.owns_machine, s.owns_flat, s.owns_company, s.public_payroll,
    nullif(s.house_grade, '') AS house_grade,
    nullif(s.main_fuel, '') AS main_fuel,
    nullif(s.entrance_road, '') AS entrance_road,
    nullif(s.main_cause, '') AS main_cause,
    coalesce(c.members, 0) AS members,
    coalesce(c.ill_members, 0) AS ill_members, coalesce(c.ill_members_unknown, 0) AS ill_members_unknown,
    coalesce(c.ill_working_age, 0) AS ill_working_age, coalesce(c.ill_working_age_unknown, 0) AS ill_working_age_unknown,
    coalesce(c.uninsured_members, 0) AS uninsured_members,
    coalesce(c.uninsured_members_unknown, 0) AS uninsured_members_unknown,
    coalesce(c.out_of_school, 0) AS out_of_school, coalesce(c.out_of_school_unknown, 0) AS out_of_school_unknown,
    coalesce(c.schooled_adults, 0) AS schooled_adults, coalesce(c.schooled_adults_unknown, 0) AS schooled_adults_unknown,
    coalesce(c.able_members, 0) AS able_members, coalesce(c.able_members_unknown, 0) AS able_members_unknown,
    coalesce(c.disabled_members, 0) AS disabled_members,
    coalesce(c.disabled_members_unknown, 0) AS disabled_members_unknown,
    coalesce(c.members_missing, 0) AS members_missing,
    v.hardened_road AS village_hardened_road, v.clinic AS village_clinic, v.school AS village_school,
    v.broadband AS village_broadband, v.poor_village AS village_poor,
    -- 无 (none) is an answer; an empty list is none yet
    CASE WHEN v.disasters = '{}' THEN NULL ELSE NOT v.disasters <@ ARRAY['无']::varchar[] END AS village_disaster,
    (v.county_seat_distance * 100)::bigint AS village_seat_distance,
    nullif(v.terrain, '') AS village_terrain
FROM chosen s
LEFT JOIN counted c ON c.sheet_id = s.id
LEFT JOIN households_villagecard v ON v.village_id = s.village_id AND v.year = s.year
