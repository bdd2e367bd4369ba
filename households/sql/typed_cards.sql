-- Question: which cards of one accounting year and a range of villages were typed here, not brought by a file?
-- Grain: one row per household whose sheet of the year was first written by a save of a single card (events.py, import
-- and seeding write other events or none).
-- Index: households_sheet (village, year, household); audit_event (target_kind, target_id, id).
SELECT DISTINCT s.household_id
FROM households_sheet s
JOIN audit_event e ON e.target_kind = 'households.household' AND e.target_id = s.household_id::text
WHERE s.year = %(year)s AND s.village_id BETWEEN %(first)s AND %(last)s
  AND e.verb = 'households.save_card' AND (e.facts ->> 'new_sheet')::int = s.year
