from django.db import migrations

from changde.bulk.sealing import SealTable


class Migration(migrations.Migration):
    dependencies = [("households", "0020_checks_and_notes")]
    operations = [SealTable("households_findingevent"), SealTable("households_checksetting")]
