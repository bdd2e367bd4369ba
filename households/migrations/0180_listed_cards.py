"""A copy of what the list filters by, kept by triggers. Empty here: nothing waits but for the moment of the triggers."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = (Path(__file__).parents[1] / "sql" / "listed_cards.sql").read_text(encoding="utf-8")
GONE = """
DROP TRIGGER list_new_sheets ON households_sheet; DROP TRIGGER list_changed_sheets ON households_sheet;
DROP TRIGGER list_without_sheets ON households_sheet; DROP TRIGGER list_changed_households ON households_household;
DROP TRIGGER list_new_results ON households_result; DROP TRIGGER list_without_results ON households_result;
DROP TRIGGER list_township ON households_townshippointer;
DROP FUNCTION list_new_sheets(), list_changed_sheets(), list_without_sheets(), list_changed_households(),
    list_results(), list_township(), list_cards(bigint[]), listed_cards_of(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("households", "0172_comparison")]

    operations = [
        migrations.CreateModel(
            name="ListedCard",
            fields=[
                (
                    "sheet",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="households.sheet",
                    ),
                ),
                ("year", models.SmallIntegerField()),
                ("village_id", models.BigIntegerField()),
                ("head_pinyin", models.CharField(max_length=200)),
                ("cause", models.CharField(max_length=20)),
                ("outcome", models.CharField(max_length=12)),
                (
                    "household",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="households.household",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["year", "outcome", "village_id", "head_pinyin", "sheet"], name="listed_outcome"
                    ),
                    models.Index(
                        fields=["year", "cause", "village_id", "head_pinyin", "sheet"], name="listed_cause"
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, GONE),
    ]
