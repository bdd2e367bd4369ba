"""Copies in the order of the list, kept by triggers: the names the search box looks for, and the households in which
nobody can work. Empty here."""

from importlib import import_module
from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = (Path(__file__).parents[1] / "sql" / "listed_members.sql").read_text(encoding="utf-8")
GONE = """
DROP TRIGGER list_new_members ON households_membership; DROP TRIGGER list_without_members ON households_membership;
DROP TRIGGER list_changed_members ON households_membership; DROP TRIGGER list_renamed_persons ON households_person;
DROP TRIGGER list_members_of_changed_households ON households_household;
DROP FUNCTION list_touched_members(), list_changed_members(), list_renamed_persons(),
    list_members_of_changed_households(), list_members(bigint[]), listed_members_of(bigint[]);
"""
STATISTICS = import_module("households.migrations.0190_statistics_of_cards").CREATE.replace("CREATE ", "CREATE OR REPLACE ")
LABOUR = (Path(__file__).parents[1] / "sql" / "listed_without_labour.sql").read_text(encoding="utf-8")
LABOUR_GONE = """
DROP TRIGGER list_new_labour ON households_membersheet; DROP TRIGGER list_gone_labour ON households_membersheet;
DROP TRIGGER list_changed_labour ON households_membersheet;
DROP TRIGGER list_labour_of_changed_sheets ON households_sheet;
DROP TRIGGER list_labour_of_changed_households ON households_household;
DROP FUNCTION list_touched_labour(), list_changed_labour(), list_labour_of_changed_sheets(),
    list_labour_of_changed_households(), list_without_labour(bigint[]), without_labour_of(bigint[]);
"""
_PREFIX = ["varchar_pattern_ops", "int8_ops", "text_ops", "int8_ops"]


class Migration(migrations.Migration):
    dependencies = [("households", "0214_cancelled_versions")]

    operations = [
        migrations.CreateModel(
            name="ListedMember",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="households.person",
                    ),
                ),
                ("village_id", models.BigIntegerField()),
                ("head_pinyin", models.CharField(max_length=200)),
                ("name", models.CharField(max_length=60)),
                ("pinyin", models.CharField(max_length=200)),
                ("initials", models.CharField(max_length=60)),
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
                        fields=["village_id", "head_pinyin", "household"],
                        include=("name", "pinyin", "initials"),
                        name="listed_member_order",
                    ),
                    *(
                        models.Index(
                            fields=[key, "village_id", "head_pinyin", "household"],
                            opclasses=_PREFIX,
                            name=f"listed_member_{key}",
                        )
                        for key in ("name", "pinyin", "initials")
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, GONE),
        migrations.CreateModel(
            name="ListedWithoutLabour",
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
                        fields=["year", "village_id", "head_pinyin", "sheet"],
                        include=("household",),
                        name="listed_without_labour",
                    )
                ],
            },
        ),
        migrations.RunSQL(LABOUR, LABOUR_GONE),
        migrations.RunSQL(
            STATISTICS.replace(
                "households_listedcard,",
                "households_listedcard, households_listedmember, households_listedwithoutlabour,",
            ),
            STATISTICS,
        ),
    ]
