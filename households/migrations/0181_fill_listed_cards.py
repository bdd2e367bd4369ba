"""Fill the copy village by village, each in a transaction of its own, while people work: triggers keep it from here on."""

from django.db import migrations


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT village_id FROM households_household")
        for (village,) in cursor.fetchall():
            cursor.execute(
                "SELECT list_cards(ARRAY(SELECT id FROM households_household WHERE village_id = %s))", [village]
            )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("households", "0180_listed_cards")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
