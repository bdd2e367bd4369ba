from django.db import migrations

from changde.bulk.sealing import CREATE_FUNCTION, DROP_FUNCTION


class Migration(migrations.Migration):
    operations = [migrations.RunSQL(CREATE_FUNCTION, DROP_FUNCTION)]
