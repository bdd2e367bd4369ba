"""A scheduled index version is frozen like a released one; its day may come, and a later release may supersede it."""

from importlib import import_module

from django.db import migrations

FREEZE = """
CREATE OR REPLACE FUNCTION refuse_change_of_released_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- The two steps that are left, and nothing else of the row changes with them: its day comes; a later release
    -- supersedes it.
    IF TG_OP = 'UPDATE' AND OLD.state = 'scheduled' AND NEW.state = 'released'
        AND NEW.effective_from <= (now() AT TIME ZONE 'Asia/Shanghai')::date
        AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'released' AND NEW.state = 'superseded'
        AND to_jsonb(NEW) - ARRAY['state', 'superseded_at'] = to_jsonb(OLD) - ARRAY['state', 'superseded_at'] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a released index version cannot be changed'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP TRIGGER released_version ON households_indexversion;
CREATE TRIGGER released_version BEFORE UPDATE OR DELETE ON households_indexversion
    FOR EACH ROW WHEN (OLD.state IN ('scheduled', 'released', 'superseded'))
    EXECUTE FUNCTION refuse_change_of_released_version();
"""
_before = import_module("households.migrations.0006_freeze_released_versions")
THAW = _before.THAW + _before.FREEZE


class Migration(migrations.Migration):
    dependencies = [("households", "0110_index_workshop")]
    operations = [migrations.RunSQL(FREEZE, THAW)]
