from django.db import migrations

from changde.bulk.sealing import SealTable


class Migration(migrations.Migration):
    dependencies = [("households", "0090_evidence_and_printouts"), ("bulk", "0001_sealing")]
    operations = [SealTable("households_evidenceevent")]
