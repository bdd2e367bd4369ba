from django.db import migrations

from changde.bulk.sealing import SealTable


class Migration(migrations.Migration):
    dependencies = [("households", "0060_household_events"), ("bulk", "0001_sealing")]
    operations = [SealTable(f"households_{model}") for model in ("lifeevent", "formervillage", "distinctpair")]
