from django.db import migrations

from changde.bulk.sealing import SealTable


class Migration(migrations.Migration):
    dependencies = [("cadres", "0001_initial"), ("bulk", "0001_sealing")]
    operations = [SealTable(f"cadres_{model}event") for model in ("cadre", "posting", "villageneed")]
