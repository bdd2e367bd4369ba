"""Fill the copies village by village, each in a transaction of its own, while people work: triggers keep them from here
on. The cards of the village are held meanwhile, so that nobody changes between what is read and what is written. The
indexes the search used before go when they are full."""

from django.db import migrations, transaction


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT village_id FROM households_household")
        villages = [village for (village,) in cursor.fetchall()]
    for village in villages:
        with transaction.atomic(using=schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM households_household WHERE village_id = %s ORDER BY id FOR NO KEY UPDATE", [village]
            )
            cursor.execute(
                "SELECT list_members(ARRAY("
                "SELECT m.person_id FROM households_household h JOIN households_membership m ON m.household_id = h.id"
                " WHERE h.village_id = %s AND m.until IS NULL))",
                [village],
            )
            cursor.execute(
                "SELECT list_without_labour(ARRAY("
                "SELECT s.id FROM households_household h JOIN households_sheet s ON s.household_id = h.id"
                " WHERE h.village_id = %s))",
                [village],
            )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("households", "0215_listed_members")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        *(migrations.RemoveIndex("person", f"person_{key}") for key in ("name", "initials", "pinyin")),
        migrations.RemoveIndex("household", "household_initials"),
    ]
