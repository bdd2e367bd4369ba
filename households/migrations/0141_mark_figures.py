"""Marks of figures out of date: set by statement triggers, so that no way of writing a card can pass them by."""

from django.db import migrations

CREATE = """
CREATE FUNCTION mark_figures_of_cards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        WITH changed AS (
            SELECT before.id, before.village_id AS old_village, after.village_id AS new_village
            FROM rows_before before JOIN rows_after after ON after.id = before.id
            WHERE (before.village_id, before.status, before.persons)
                  IS DISTINCT FROM (after.village_id, after.status, after.persons)
        )
        INSERT INTO households_figuresmark (village_id, year)
        SELECT old_village, 0 FROM changed UNION SELECT new_village, 0 FROM changed
        UNION
        SELECT result.village_id, result.year
        FROM changed
        JOIN households_result result ON result.household_id = changed.id
        JOIN households_townshippointer pointer ON pointer.run_id = result.run_id AND pointer.year = result.year
         AND pointer.township_id = result.village_id / 1000 * 1000;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO households_figuresmark (village_id, year) SELECT DISTINCT village_id, 0 FROM rows_after;
    ELSE
        INSERT INTO households_figuresmark (village_id, year) SELECT DISTINCT village_id, 0 FROM rows_before;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER figures_of_new_cards AFTER INSERT ON households_household
    REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION mark_figures_of_cards();
CREATE TRIGGER figures_of_changed_cards AFTER UPDATE ON households_household
    REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after
    FOR EACH STATEMENT EXECUTE FUNCTION mark_figures_of_cards();
CREATE TRIGGER figures_of_removed_cards AFTER DELETE ON households_household
    REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION mark_figures_of_cards();

-- Results are inserted and deleted, their figures never updated. Those of a run nobody reads yet, or any more, are
-- not what the figures count: a run counts its townships itself when it shows them.
CREATE FUNCTION mark_figures_of_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO households_figuresmark (village_id, year)
    SELECT DISTINCT written.village_id, written.year
    FROM written
    JOIN households_townshippointer pointer ON pointer.run_id = written.run_id AND pointer.year = written.year
     AND pointer.township_id = written.village_id / 1000 * 1000;
    RETURN NULL;
END $$;

CREATE TRIGGER figures_of_new_results AFTER INSERT ON households_result
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION mark_figures_of_results();
CREATE TRIGGER figures_of_removed_results AFTER DELETE ON households_result
    REFERENCING OLD TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION mark_figures_of_results();

-- What stands already is counted by the next beat.
INSERT INTO households_figuresmark (village_id, year) SELECT DISTINCT village_id, 0 FROM households_household;
INSERT INTO households_figuresmark (village_id, year)
SELECT DISTINCT result.village_id, result.year
FROM households_result result
JOIN households_townshippointer pointer ON pointer.run_id = result.run_id AND pointer.year = result.year
 AND pointer.township_id = result.village_id / 1000 * 1000;
"""

DROP = """
DROP TRIGGER figures_of_new_cards ON households_household;
DROP TRIGGER figures_of_changed_cards ON households_household;
DROP TRIGGER figures_of_removed_cards ON households_household;
DROP FUNCTION mark_figures_of_cards();
DROP TRIGGER figures_of_new_results ON households_result;
DROP TRIGGER figures_of_removed_results ON households_result;
DROP FUNCTION mark_figures_of_results();
DELETE FROM households_figuresmark;
"""


class Migration(migrations.Migration):
    dependencies = [("households", "0140_figures")]
    operations = [migrations.RunSQL(CREATE, DROP)]
