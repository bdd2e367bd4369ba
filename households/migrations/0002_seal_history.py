from django.db import migrations

from changde.bulk.sealing import SealTable


class Migration(migrations.Migration):
    dependencies = [("households", "0001_initial"), ("bulk", "0001_sealing")]
    operations = [
        SealTable(f"households_{model}event")
        for model in ("person", "household", "membership", "sheet", "membersheet", "villagecard")
    ]
