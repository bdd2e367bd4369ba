-- Question: how many households and registered people does each division one step down have?
-- Grain:    one row per division of `span` codes between first and last that has a card or a village card;
--           span is 10^6 for counties, 10^3 for townships, 1 for villages.
-- Indexes:  card count (village, status), village card (village, year): some rows a village, no card is read.
-- Incidence divides over the villages that have a village card, so that both sides speak of the same people.
WITH homes AS (
    SELECT village_id,
           sum(households) AS households,
           sum(persons) AS persons,
           coalesce(sum(households) FILTER (WHERE status IN ('registered', 'returned')), 0) AS registered,
           coalesce(sum(persons) FILTER (WHERE status IN ('registered', 'returned')), 0) AS registered_persons
    FROM households_cardcount
    WHERE village_id BETWEEN %(first)s AND %(last)s
    GROUP BY village_id
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
       count(*) FILTER (WHERE households > 0 AND rural_persons IS NULL) AS villages_without_card
FROM homes
FULL JOIN villages USING (village_id)
GROUP BY 1
ORDER BY 1
