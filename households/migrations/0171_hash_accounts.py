from django.db import migrations

from changde.crypto.cipher import blind_column, decrypt

BATCH = 5000


def hash_accounts(apps, schema_editor):
    """The keyed hash of every account on file. What a card says does not change, so its history gets no rows."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE households_household DISABLE TRIGGER USER")
        last = 0
        while True:
            cursor.execute(
                "SELECT id, bank_account_cipher FROM households_household"
                " WHERE id > %s AND bank_account_cipher IS NOT NULL ORDER BY id LIMIT %s",
                [last, BATCH],
            )
            rows = cursor.fetchall()
            if not rows:
                break
            ids = [pk for pk, _cipher in rows]
            numbers = [decrypt(cipher, field="household.bank_account", owner=pk) for pk, cipher in rows]
            cursor.execute(
                "UPDATE households_household h SET bank_account_hash = new.hash"
                " FROM unnest(%s::bigint[], %s::bytea[]) AS new (id, hash) WHERE h.id = new.id",
                [ids, blind_column(numbers, kind="account")],
            )
            last = ids[-1]
        cursor.execute("ALTER TABLE households_household ENABLE TRIGGER USER")


class Migration(migrations.Migration):
    dependencies = [("households", "0170_account_hash")]
    operations = [migrations.RunPython(hash_accounts, migrations.RunPython.noop)]
