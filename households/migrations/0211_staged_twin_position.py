from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("households", "0210_card_export_layout")]
    operations = [
        migrations.AddField(
            model_name="stagedhousehold",
            name="twin_position",
            field=models.PositiveIntegerField(
                help_text="the earlier household of the same workbook it may repeat", null=True
            ),
        ),
    ]
