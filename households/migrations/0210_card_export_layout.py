from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("households", "0190_statistics_of_cards")]
    operations = [
        migrations.AlterField(
            model_name="cardexport",
            name="format",
            field=models.CharField(
                choices=[
                    ("xlsx", "Excel 工作簿（.xlsx）"),
                    ("csv", "CSV 文本（.csv）"),
                    ("card", "全国统一格式（户信息、人信息，改好后可再导入）"),
                ],
                default="xlsx",
                max_length=4,
                verbose_name="格式",
            ),
        ),
    ]
