"""A final run, its ledger and its results are unchangeable for the application's role.

Only that results go stale is left: the mark says that a card has changed since, and nothing of what was judged.
Runs that are not final pay for it with a look at the few final ones, once a statement: what an ordinary run updates of
results (stale, from false to true) fires nothing.
"""

from django.db import migrations

from changde.bulk.sealing import SealTable

KEPT = (
    "id, household_id, run_id, village_id, version_id, year, card_version, village_card_version, values, net_income, "
    "members, deprived, unknown, missing, excluded_by, score, outcome, below_line, below_monitoring_line, "
    "reaches_cutoff, guarantee_gap, excluded, open_fields, computed_at"
)
SEAL = f"""
CREATE FUNCTION refuse_rows_of_final_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM touched WHERE run_id IN (SELECT id FROM households_indexrun WHERE final))
        AND NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RAISE EXCEPTION 'a sealed row of % cannot be changed: its run is final', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION refuse_change_in_final_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM households_indexrun WHERE id IN (OLD.run_id, NEW.run_id) AND final)
        AND NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RAISE EXCEPTION 'a sealed row of % cannot be changed: its run is final', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER no_new_rows_of_final_run AFTER INSERT ON households_result
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_run();
CREATE TRIGGER no_rows_of_final_run_go AFTER DELETE ON households_result
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_run();
CREATE TRIGGER results_of_final_run_stay BEFORE UPDATE OF {KEPT} ON households_result
    FOR EACH ROW EXECUTE FUNCTION refuse_change_in_final_run();
CREATE TRIGGER stale_results_of_final_run_stay BEFORE UPDATE OF stale ON households_result
    FOR EACH ROW WHEN (OLD.stale AND NOT NEW.stale) EXECUTE FUNCTION refuse_change_in_final_run();

CREATE TRIGGER no_new_rows_of_final_run AFTER INSERT ON households_runchunk
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_run();
CREATE TRIGGER no_rows_of_final_run_go AFTER DELETE ON households_runchunk
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_run();
CREATE TRIGGER ledger_of_final_run_stays BEFORE UPDATE ON households_runchunk
    FOR EACH ROW EXECUTE FUNCTION refuse_change_in_final_run();
"""
OPEN = """
DROP TRIGGER no_new_rows_of_final_run ON households_result;
DROP TRIGGER no_rows_of_final_run_go ON households_result;
DROP TRIGGER results_of_final_run_stay ON households_result;
DROP TRIGGER stale_results_of_final_run_stay ON households_result;
DROP TRIGGER no_new_rows_of_final_run ON households_runchunk;
DROP TRIGGER no_rows_of_final_run_go ON households_runchunk;
DROP TRIGGER ledger_of_final_run_stays ON households_runchunk;
DROP FUNCTION refuse_rows_of_final_run();
DROP FUNCTION refuse_change_in_final_run();
"""


class Migration(migrations.Migration):
    dependencies = [("households", "0211_staged_twin_position")]
    operations = [SealTable("households_indexrun", "OLD.final"), migrations.RunSQL(SEAL, OPEN)]
