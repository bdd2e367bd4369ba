"""A kept filter says which list it is of."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("households", "0217_sudden_hardship")]

    operations = [
        migrations.AddField(
            model_name="savedfilter",
            name="listing",
            field=models.CharField(
                choices=[("cards", "户卡"), ("leads", "线索核查")], db_default="cards", default="cards", max_length=10
            ),
        ),
        migrations.RemoveConstraint(model_name="savedfilter", name="saved_filter_name_once"),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("owner", "listing", "name"),
                name="saved_filter_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.CheckConstraint(
                condition=models.Q(("listing__in", ["cards", "leads"])), name="saved_filter_listing"
            ),
        ),
    ]
