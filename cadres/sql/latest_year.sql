-- Question: which is the latest accounting year with sheets in an area?
-- Grain:    one row. Index: sheet (village, year, household).
SELECT max(year) AS year FROM households_sheet WHERE village_id BETWEEN %(first)s AND %(last)s;
