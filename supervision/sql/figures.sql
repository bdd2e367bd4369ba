-- Question: how many households, registered and poor people does each division one step down have?
-- Grain:    one row per division of `span` codes between first and last that has a card, a result or a village card;
--           span is 10^6 for counties, 10^3 for townships, 1 for villages, or the whole area's own for one row.
-- Indexes:  household (village, status, id); result (run, village) and (village, year, outcome); pointer
--           (township, year); village card (village, year). For the whole city both large tables are read once.
-- A result counts when its run is the one the township's pointer names (households.models.Result.current).
-- Incidence divides over the villages that have a village card, so that both sides speak of the same people.
WITH homes AS (
    SELECT village_id,
           count(*) AS households,
           sum(persons) AS persons,
           count(*) FILTER (WHERE status IN ('registered', 'returned')) AS registered,
           coalesce(sum(persons) FILTER (WHERE status IN ('registered', 'returned')), 0) AS registered_persons
    FROM households_household
    WHERE village_id BETWEEN %(first)s AND %(last)s AND status <> 'closed'
    GROUP BY village_id
), shown AS NOT MATERIALIZED (
    SELECT result.village_id, result.household_id, result.outcome, result.stale
    FROM households_result result
    JOIN households_townshippointer pointer
      ON pointer.run_id = result.run_id AND pointer.year = result.year
     AND pointer.township_id = result.village_id / 1000 * 1000
    WHERE result.year = %(year)s AND result.village_id BETWEEN %(first)s AND %(last)s
), judged AS (
    SELECT village_id, count(*) AS judged FROM shown GROUP BY village_id
), marked AS (
    SELECT shown.village_id,
           count(*) FILTER (WHERE outcome = 'absolute') AS absolute,
           coalesce(sum(household.persons) FILTER (WHERE outcome = 'absolute'), 0) AS absolute_persons,
           count(*) FILTER (WHERE outcome = 'relative') AS relative,
           count(*) FILTER (WHERE outcome = 'undetermined') AS undetermined,
           count(*) FILTER (WHERE stale) AS stale
    FROM shown
    JOIN households_household household ON household.id = shown.household_id AND household.status <> 'closed'
     AND household.village_id BETWEEN %(first)s AND %(last)s
    WHERE outcome <> 'not_poor' OR stale
    GROUP BY shown.village_id
), villages AS (
    SELECT village_id, rural_persons
    FROM households_villagecard
    WHERE village_id BETWEEN %(first)s AND %(last)s AND year = %(year)s AND rural_persons > 0
)
SELECT village_id / %(span)s * %(span)s AS code,
       coalesce(sum(households), 0)::bigint AS households,
       coalesce(sum(persons), 0)::bigint AS persons,
       coalesce(sum(registered), 0)::bigint AS registered,
       coalesce(sum(registered_persons), 0)::bigint AS registered_persons,
       coalesce(sum(registered_persons) FILTER (WHERE rural_persons > 0), 0)::bigint AS registered_with_village_card,
       sum(rural_persons)::bigint AS rural_persons,
       count(*) FILTER (WHERE households > 0 AND rural_persons IS NULL) AS villages_without_card,
       coalesce(sum(judged), 0)::bigint AS judged,
       coalesce(sum(absolute), 0)::bigint AS absolute,
       coalesce(sum(absolute_persons), 0)::bigint AS absolute_persons,
       coalesce(sum(relative), 0)::bigint AS relative,
       coalesce(sum(undetermined), 0)::bigint AS undetermined,
       coalesce(sum(stale), 0)::bigint AS stale
FROM homes
FULL JOIN judged USING (village_id)
FULL JOIN marked USING (village_id)
FULL JOIN villages USING (village_id)
GROUP BY 1
ORDER BY 1
