from django.db import migrations

from changde.bulk.sealing import SealTable


class Migration(migrations.Migration):
    dependencies = [("households", "0160_leads_and_village_cadres"), ("bulk", "0001_sealing")]
    operations = [SealTable(f"households_{model}event") for model in ("villagecadre", "cadrerelative")]
