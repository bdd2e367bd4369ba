from django.db import migrations

from changde.bulk.sealing import SealTable


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("bulk", "0001_sealing")]
    operations = [SealTable("audit_event")]
