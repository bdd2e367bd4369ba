"""A scheduled version can be cancelled before its day, with a reason; it is frozen from then on like the others."""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_before = import_module("households.migrations.0111_freeze_scheduled_versions")
FREEZE = """
CREATE OR REPLACE FUNCTION refuse_change_of_released_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    -- The three steps that are left, and nothing else of the row changes with them: its day comes; it is cancelled
    -- before that; a later release supersedes it.
    IF TG_OP = 'UPDATE' AND OLD.state = 'scheduled' AND NEW.state = 'released'
        AND NEW.effective_from <= (now() AT TIME ZONE 'Asia/Shanghai')::date
        AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'scheduled' AND NEW.state = 'cancelled'
        AND OLD.effective_from > (now() AT TIME ZONE 'Asia/Shanghai')::date
        AND to_jsonb(NEW) - ARRAY['state', 'cancelled_by_id', 'cancelled_at', 'cancel_reason']
            = to_jsonb(OLD) - ARRAY['state', 'cancelled_by_id', 'cancelled_at', 'cancel_reason'] THEN
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
    FOR EACH ROW WHEN (OLD.state IN ('scheduled', 'released', 'superseded', 'cancelled'))
    EXECUTE FUNCTION refuse_change_of_released_version();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('divisions', '0001_initial'),
        ('households', '0213_seal_final_runs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='indexversion',
            name='index_version_released_when',
        ),
        migrations.RemoveConstraint(
            model_name='indexversion',
            name='index_version_proposed_when',
        ),
        migrations.AddField(
            model_name='indexversion',
            name='cancel_reason',
            field=models.CharField(blank=True, max_length=300, verbose_name='取消原因'),
        ),
        migrations.AddField(
            model_name='indexversion',
            name='cancelled_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='indexversion',
            name='cancelled_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='indexversion',
            name='state',
            field=models.CharField(choices=[('draft', '草稿'), ('tried', '已试算'), ('proposed', '待发布'), ('scheduled', '待生效'), ('released', '已发布'), ('superseded', '已被替代'), ('cancelled', '已取消'), ('discarded', '已作废')], default='draft', max_length=10, verbose_name='状态'),
        ),
        migrations.AddConstraint(
            model_name='indexversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('released_at', None), ('state__in', ['draft', 'tried', 'proposed', 'discarded'])), models.Q(('released_at__isnull', False), ('state__in', ['scheduled', 'released', 'superseded', 'cancelled'])), _connector='OR'), name='index_version_released_when'),
        ),
        migrations.AddConstraint(
            model_name='indexversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('effective_from', None), ('proposed_by', None), ('state__in', ['draft', 'tried', 'discarded'])), models.Q(('effective_from__isnull', False), ('proposed_by__isnull', False), ('state', 'proposed')), models.Q(('effective_from__isnull', False), ('state__in', ['scheduled', 'released', 'superseded', 'cancelled'])), _connector='OR'), name='index_version_proposed_when'),
        ),
        migrations.AddConstraint(
            model_name='indexversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', False), ('cancelled_by__isnull', False), ('state', 'cancelled'), models.Q(('cancel_reason', ''), _negated=True)), models.Q(models.Q(('state', 'cancelled'), _negated=True), ('cancel_reason', ''), ('cancelled_at', None), ('cancelled_by', None)), _connector='OR'), name='index_version_cancelled_with_reason'),
        ),
        migrations.RunSQL(FREEZE, _before.FREEZE),
    ]
