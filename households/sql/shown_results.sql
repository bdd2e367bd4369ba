-- Question: what do the results that readers see say of the open households of some villages in one year?
-- Grain:    one row per household with a shown result, sorted by village and version (households.domain.figures.count).
-- Indexes:  pointer (township, year); result (run, village); household and sheet (household, year) by key.
-- Status, people and cause are those of now; a card that was closed since is left out. Money in fen.
SELECT result.village_id, result.version_id, result.run_id, result.outcome, result.below_line,
       result.below_monitoring_line, result.reaches_cutoff, result.guarantee_gap, result.excluded, result.members,
       result.score, result.net_income, result.deprived, household.persons, household.status,
       nullif(sheet.main_cause, '') AS main_cause
FROM households_townshippointer pointer
JOIN households_result result ON result.run_id = pointer.run_id AND result.year = pointer.year
 AND result.village_id BETWEEN pointer.township_id AND pointer.township_id + 999
JOIN households_household household ON household.id = result.household_id AND household.status <> 'closed'
LEFT JOIN households_sheet sheet ON sheet.household_id = result.household_id AND sheet.year = result.year
WHERE pointer.year = %(year)s AND pointer.township_id = %(township)s
  AND (%(villages)s::bigint[] IS NULL OR result.village_id = ANY (%(villages)s::bigint[]))
ORDER BY result.village_id, result.version_id, result.household_id
