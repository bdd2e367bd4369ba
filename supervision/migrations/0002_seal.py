from django.db import migrations

from changde.bulk.sealing import SealTable

# Entries of a posted list: no change, no removal, and no later addition. The key share waits for a posting that holds
# the list's row, so that an entry written at the same moment sees the number.
ENTRIES = """
CREATE FUNCTION refuse_change_of_posted_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
    posted integer;
BEGIN
    IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        FOREACH touched IN ARRAY CASE TG_OP
            WHEN 'INSERT' THEN ARRAY[NEW.publicity_list_id]
            WHEN 'DELETE' THEN ARRAY[OLD.publicity_list_id]
            ELSE ARRAY[OLD.publicity_list_id, NEW.publicity_list_id] END
        LOOP
            SELECT number INTO posted FROM supervision_publicitylist WHERE id = touched FOR KEY SHARE;
            IF posted IS NOT NULL THEN
                RAISE EXCEPTION 'an entry of a posted list cannot be changed'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        END LOOP;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER sealed_row BEFORE INSERT OR UPDATE OR DELETE ON supervision_listentry
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_posted_entry();
"""
DROP_ENTRIES = """
DROP TRIGGER sealed_row ON supervision_listentry;
DROP FUNCTION refuse_change_of_posted_entry();
"""

# An objection never disappears; what was raised never changes; a decided one is closed for good.
OBJECTIONS = """
CREATE TRIGGER sealed_row BEFORE UPDATE ON supervision_objection FOR EACH ROW WHEN (
    OLD.decided_at IS NOT NULL
    OR (OLD.id, OLD.publicity_list_id, OLD.village_id, OLD.owner_id, OLD.about, OLD.entry_id, OLD.text_cipher,
        OLD.contact_cipher, OLD.tracking_hash, OLD.received_at, OLD.due)
    IS DISTINCT FROM
       (NEW.id, NEW.publicity_list_id, NEW.village_id, NEW.owner_id, NEW.about, NEW.entry_id, NEW.text_cipher,
        NEW.contact_cipher, NEW.tracking_hash, NEW.received_at, NEW.due)
) EXECUTE FUNCTION refuse_change_of_sealed_row();
CREATE TRIGGER sealed_against_removal BEFORE DELETE ON supervision_objection
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_sealed_row();
"""
DROP_OBJECTIONS = """
DROP TRIGGER sealed_row ON supervision_objection;
DROP TRIGGER sealed_against_removal ON supervision_objection;
"""


class Migration(migrations.Migration):
    dependencies = [("supervision", "0001_initial"), ("bulk", "0001_sealing")]
    operations = [
        SealTable("supervision_snapshot"),
        SealTable("supervision_publicitylist", "OLD.number IS NOT NULL"),
        migrations.RunSQL(ENTRIES, DROP_ENTRIES),
        migrations.RunSQL(OBJECTIONS, DROP_OBJECTIONS),
    ]
