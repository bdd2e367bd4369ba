-- Question: what do the cards of each village say about the need for cadres: how many households are registered, why
--           they are poor, which guarantees are missing, who could work.
-- Grain:    one row per village between first and last that has an open household.
-- Indexes:  household (village, status, id), sheet (village, year, household), member sheet (sheet, person).
WITH undecided AS (
    -- villages where no household has got a status yet: the first load or the procedure is still to come
    SELECT village_id
    FROM households_household
    WHERE village_id BETWEEN %(first)s AND %(last)s AND status <> 'closed'
    GROUP BY village_id HAVING bool_and(status = 'unregistered')
), homes AS (
    SELECT home.id, home.village_id, home.persons, undecided.village_id IS NOT NULL AS provisional,
           CASE WHEN undecided.village_id IS NULL THEN home.status IN ('registered', 'returned')
                -- what the first load would make of the card (households.services.status.initial_status)
                ELSE coalesce(sheet.attribute NOT IN ('', '一般农户') AND sheet.exit_flag <> '已脱贫'
                     AND (sheet.exit_flag IN ('未脱贫', '预脱贫', '返贫')
                          OR sheet.attribute IN ('一般贫困户', '低保贫困户')), false)
           END AS registered
    FROM households_household home
    LEFT JOIN undecided USING (village_id)
    LEFT JOIN households_sheet sheet
           ON undecided.village_id IS NOT NULL AND sheet.household_id = home.id AND sheet.year = %(year)s
    WHERE home.village_id BETWEEN %(first)s AND %(last)s AND home.status <> 'closed'
), villages AS (
    SELECT village_id, bool_and(provisional) AS provisional,
           count(*) FILTER (WHERE registered) AS registered_households,
           coalesce(sum(persons) FILTER (WHERE registered), 0) AS registered_persons,
           sum(persons) AS persons_on_cards
    FROM homes GROUP BY village_id
), sheets AS (
    SELECT homes.village_id, sheet.*
    FROM homes JOIN LATERAL (
        SELECT id, main_cause, other_causes,
               water_safe IS FALSE OR water_difficult IS TRUE AS water,
               house_grade IN ('C级', 'D级') OR unsafe_house IS TRUE AS housing
        FROM households_sheet
        WHERE household_id = homes.id AND year = %(year)s
    ) sheet ON true
    WHERE homes.registered
), members AS (
    SELECT sheets.village_id, sheets.id AS sheet_id,
           member.residents_insurance IS FALSE AND member.employees_insurance IS FALSE AS uninsured,
           -- six by 31 August, not yet sixteen at the end of the accounting year, junior middle school not finished
           person.birth_date <= make_date(%(year)s - 6, 8, 31) AND person.birth_date > make_date(%(year)s - 16, 9, 30)
               AND member.school_status = '非在校生' AND member.education IN ('学龄前儿童', '文盲或半文盲', '小学')
               AS out_of_school,
           member.labour <> '' AS labour_known,
           member.labour IN ('普通劳动力', '技能劳动力') AND member.school_status IN ('非在校生', '') AS able,
           member.work_place = '' AND member.work_months IS NULL AND member.local_job IS NOT TRUE
               AND member.public_post IS NOT TRUE AS without_work
    FROM sheets
    JOIN households_membersheet member ON member.sheet_id = sheets.id
    JOIN households_person person ON person.id = member.person_id
), by_sheet AS (
    SELECT village_id, sheet_id,
           coalesce(bool_or(uninsured), false) AS uninsured,
           coalesce(bool_or(out_of_school), false) AS out_of_school,
           bool_or(labour_known) AND NOT bool_or(able) AS without_labour,
           count(*) FILTER (WHERE able) AS able,
           count(*) FILTER (WHERE able AND without_work) AS idle
    FROM members GROUP BY village_id, sheet_id
), of_members AS (
    SELECT village_id,
           count(*) FILTER (WHERE uninsured) AS uninsured,
           count(*) FILTER (WHERE out_of_school) AS out_of_school,
           count(*) FILTER (WHERE without_labour) AS without_labour,
           sum(able) AS able,
           sum(idle) AS idle
    FROM by_sheet GROUP BY village_id
), of_sheets AS (
    SELECT village_id, count(*) AS sheets,
           count(*) FILTER (WHERE water) AS water, count(*) FILTER (WHERE housing) AS housing
    FROM sheets GROUP BY village_id
), main_causes AS (
    SELECT village_id, jsonb_object_agg(main_cause, households) AS causes
    FROM (
        SELECT village_id, main_cause, count(*) AS households
        FROM sheets WHERE main_cause <> '' GROUP BY village_id, main_cause
    ) counted GROUP BY village_id
), other_causes AS (
    SELECT village_id, jsonb_object_agg(cause, households) AS causes
    FROM (
        SELECT village_id, cause, count(*) AS households
        FROM sheets CROSS JOIN unnest(other_causes) AS cause WHERE cause <> '' GROUP BY village_id, cause
    ) counted GROUP BY village_id
), cards AS (
    SELECT DISTINCT ON (village_id) village_id, rural_persons, leading_industries
    FROM households_villagecard
    WHERE village_id BETWEEN %(first)s AND %(last)s AND year <= %(year)s
    ORDER BY village_id, year DESC
)
SELECT villages.village_id AS village, provisional, registered_households, registered_persons, persons_on_cards,
       cards.rural_persons, coalesce(cards.leading_industries, '{}') AS industries,
       coalesce(of_sheets.sheets, 0) AS sheets,
       coalesce(of_sheets.water, 0) AS water, coalesce(of_sheets.housing, 0) AS housing,
       coalesce(of_members.uninsured, 0) AS uninsured, coalesce(of_members.out_of_school, 0) AS out_of_school,
       coalesce(of_members.without_labour, 0) AS without_labour,
       coalesce(of_members.able, 0) AS able, coalesce(of_members.idle, 0) AS idle,
       coalesce(main_causes.causes, '{}') AS main_causes, coalesce(other_causes.causes, '{}') AS other_causes
FROM villages
LEFT JOIN of_sheets USING (village_id)
LEFT JOIN of_members USING (village_id)
LEFT JOIN main_causes USING (village_id)
LEFT JOIN other_causes USING (village_id)
LEFT JOIN cards USING (village_id)
ORDER BY villages.village_id;
