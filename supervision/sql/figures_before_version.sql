-- Question: where another index version judges villages of the area now, what did the earlier one say of them last,
--           and what is said of the same villages now?
-- Grain:    one row per year, earlier version, version and current (false: what the earlier one said).
-- Indexes:  figures (village, year).
SELECT earlier.year, earlier.version_id AS before_id, said.version_id, said.current, count(*) AS villages,
       sum(said.households)::bigint AS households,
       sum(said.judged)::bigint AS judged,
       sum(said.members)::bigint AS members,
       sum(said.poor_members)::bigint AS poor_members,
       sum(said.poor_score) AS poor_score,
       sum(said.below_line_members)::bigint AS below_line_members,
       sum(said.shortfall)::bigint AS shortfall,
       sum(said.squared_shortfall) AS squared_shortfall
FROM households_villagefigures earlier
JOIN households_villagefigures said ON said.village_id = earlier.village_id AND said.year = earlier.year
 AND (said.current OR said.id = earlier.id)
WHERE NOT earlier.current AND earlier.village_id BETWEEN %(first)s AND %(last)s
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
