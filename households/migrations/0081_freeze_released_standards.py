"""The history of worksheet lines is sealed; a released yearly standard and its rates are frozen for ever."""

from django.db import migrations

from changde.bulk.sealing import SealTable

FREEZE = """
CREATE FUNCTION refuse_change_of_released_standard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- The one step that is left: a later release supersedes it, and nothing else of the row changes.
    IF TG_OP = 'UPDATE' AND OLD.state = 'released' AND NEW.state = 'superseded'
        AND to_jsonb(NEW) - ARRAY['state', 'superseded_at'] = to_jsonb(OLD) - ARRAY['state', 'superseded_at'] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a released yearly standard cannot be changed'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER released_standard BEFORE UPDATE OR DELETE ON households_yearlystandard
    FOR EACH ROW WHEN (OLD.state <> 'draft')
    EXECUTE FUNCTION refuse_change_of_released_standard();

CREATE FUNCTION refuse_change_of_released_rate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE ids bigint[];
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    ids := ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN OLD.standard_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.standard_id END];
    -- The lock waits for a release under way, so that no rate slips in behind it; then its state is read.
    PERFORM 1 FROM households_yearlystandard WHERE id = ANY (ids) FOR SHARE;
    IF EXISTS (SELECT 1 FROM households_yearlystandard WHERE id = ANY (ids) AND state <> 'draft') THEN
        RAISE EXCEPTION 'a rate of a released yearly standard cannot be changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER released_rate BEFORE INSERT OR UPDATE OR DELETE ON households_standardrate
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_released_rate();
"""
THAW = """
DROP TRIGGER released_rate ON households_standardrate;
DROP FUNCTION refuse_change_of_released_rate();
DROP TRIGGER released_standard ON households_yearlystandard;
DROP FUNCTION refuse_change_of_released_standard();
"""


class Migration(migrations.Migration):
    dependencies = [("households", "0080_income_worksheet")]
    operations = [SealTable("households_incomelineevent"), migrations.RunSQL(FREEZE, THAW)]
