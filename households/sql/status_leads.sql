-- Question: which households of a year may be a lead by outcome against status, with what this and last year said?
-- Grain: one row per household with a current result of the year in a range of villages (or among those given).
-- Index: households_result (village, year, outcome); result_once_a_run for the year before; townships by pointer.
-- The conditions repeat only what domain/status_leads.py could answer with a lead: most households never reach Python.
SELECT
    r.household_id, h.status, h.monitored_kind, r.outcome, r.below_monitoring_line, r.guarantee_gap, r.excluded,
    r.net_income, r.members, r.missing, r.version_id,
    h.status_since IS NOT NULL AND h.status_since > make_date(%(year)s - 1, 9, 30) AS helped_since,
    (SELECT round(100 * s.medical_cost)::bigint FROM households_sheet s
     WHERE s.household_id = r.household_id AND s.year = %(year)s) AS bills,
    (SELECT round(100 * s.medical_cost)::bigint FROM households_sheet s
     WHERE s.household_id = r.household_id AND s.year = %(year)s - 1) AS before_bills,
    p.outcome AS before_outcome, p.net_income AS before_net_income, p.members AS before_members,
    p.missing AS before_missing
FROM households_result r
JOIN households_townshippointer t
    ON t.run_id = r.run_id AND t.year = r.year AND t.township_id = r.village_id - r.village_id %% 1000
JOIN households_household h ON h.id = r.household_id
LEFT JOIN LATERAL (
    SELECT b.outcome, b.net_income, b.members, b.missing
    FROM households_result b
    JOIN households_townshippointer q
        ON q.run_id = b.run_id AND q.year = b.year AND q.township_id = b.village_id - b.village_id %% 1000
    WHERE b.household_id = r.household_id AND b.year = %(year)s - 1
    LIMIT 1
) p ON true
WHERE r.year = %(year)s
  AND r.village_id BETWEEN %(first)s AND %(last)s
  AND (%(households)s::bigint[] IS NULL OR r.household_id = ANY (%(households)s::bigint[]))
  AND (
      r.guarantee_gap
      OR r.outcome = 'absolute' AND h.status IN ('unregistered', 'exited', 'monitored')
      OR r.outcome = 'relative' AND r.below_monitoring_line AND h.status IN ('unregistered', 'exited')
      OR r.outcome = 'not_poor' AND h.status IN ('registered', 'returned')
  )
