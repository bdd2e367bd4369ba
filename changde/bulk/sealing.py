"""Sealed rows: what the application's own database role may not change any more.

A seal is a trigger that refuses UPDATE and DELETE to every role but the table's owner (who migrates, restores and
cleans up tests). A condition seals only rows that have reached a state, e.g. released index versions.
"""

from django.db.migrations.operations.base import Operation

CREATE_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change_of_sealed_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION 'a sealed row of % cannot be changed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
DROP_FUNCTION = "DROP FUNCTION IF EXISTS refuse_change_of_sealed_row()"


class SealTable(Operation):
    """Migration operation: seal `table`, whole or only where `condition` (over OLD) holds."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, table: str, condition: str = ""):
        self.table, self.condition = table, condition

    def state_forwards(self, app_label, state):
        pass

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        when = f"WHEN ({self.condition})" if self.condition else ""
        schema_editor.execute(
            f'CREATE TRIGGER sealed_row BEFORE UPDATE OR DELETE ON "{self.table}" '
            f"FOR EACH ROW {when} EXECUTE FUNCTION refuse_change_of_sealed_row()"
        )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        schema_editor.execute(f'DROP TRIGGER sealed_row ON "{self.table}"')

    def describe(self):
        return f"Seal {self.table} against the application's role"

    def deconstruct(self):
        return self.__class__.__qualname__, [self.table], {"condition": self.condition} if self.condition else {}
