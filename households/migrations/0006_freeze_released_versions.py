"""A released index version is frozen for ever, also against SQL of the application's own role."""

from django.db import migrations

FREEZE = """
CREATE FUNCTION refuse_change_of_released_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- The one step that is left: a later release supersedes it, and nothing else of the row changes.
    IF TG_OP = 'UPDATE' AND OLD.state = 'released' AND NEW.state = 'superseded'
        AND to_jsonb(NEW) - ARRAY['state', 'superseded_at'] = to_jsonb(OLD) - ARRAY['state', 'superseded_at'] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a released index version cannot be changed'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER released_version BEFORE UPDATE OR DELETE ON households_indexversion
    FOR EACH ROW WHEN (OLD.state IN ('released', 'superseded'))
    EXECUTE FUNCTION refuse_change_of_released_version();
"""
THAW = """
DROP TRIGGER released_version ON households_indexversion;
DROP FUNCTION refuse_change_of_released_version();
"""


class Migration(migrations.Migration):
    dependencies = [("households", "0005_index")]
    operations = [migrations.RunSQL(FREEZE, THAW)]
