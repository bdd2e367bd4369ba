"""Three foreign keys lose the index of their own: each is the first column of a longer one, and every member, sheet and
membership that is written pays for it. By name: a change of the field's option alone would take the partial unique
indexes of the same column along."""

import django.db.models.deletion
from django.db import migrations, models

INDEXES = [
    ("households_membership", "household_id", "households_membership_household_id_2ae0bcdc"),
    ("households_sheet", "household_id", "households_sheet_household_id_7bb82955"),
    ("households_membersheet", "sheet_id", "households_membersheet_sheet_id_1116985e"),
]


class Migration(migrations.Migration):
    dependencies = [("households", "0220_filters_of_leads")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"DROP INDEX {index}", f"CREATE INDEX {index} ON {table} ({column})")
                for table, column, index in INDEXES
            ],
            state_operations=[
                migrations.AlterField(
                    "membersheet",
                    "sheet",
                    models.ForeignKey(
                        "households.sheet",
                        django.db.models.deletion.CASCADE,
                        db_index=False,
                        related_name="members",
                    ),
                ),
                migrations.AlterField(
                    "membership",
                    "household",
                    models.ForeignKey(
                        "households.household",
                        django.db.models.deletion.PROTECT,
                        db_index=False,
                        related_name="memberships",
                    ),
                ),
                migrations.AlterField(
                    "sheet",
                    "household",
                    models.ForeignKey(
                        "households.household",
                        django.db.models.deletion.PROTECT,
                        db_index=False,
                        related_name="sheets",
                    ),
                ),
            ],
        )
    ]
