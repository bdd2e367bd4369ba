"""Households in which nobody can work, in the order of the list: members tell it only when all are looked at."""

from django.db import models

from changde.accounts.areas import ScopedQuerySet
from households.models.household import Household
from households.models.sheet import Sheet


class ListedWithoutLabourQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "household_id"


class ListedWithoutLabour(models.Model):
    """A copy, kept by triggers of the database (sql/listed_without_labour.sql): a row for each sheet of an open card
    that has members and nobody who can work or of whom it is unknown.

    `village_id` and `head_pinyin` are the household's of today. Nobody writes it; `manage.py list_cards` compares it.
    """

    sheet = models.OneToOneField(Sheet, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+")
    year = models.SmallIntegerField()
    village_id = models.BigIntegerField()
    head_pinyin = models.CharField(max_length=200)
    household = models.ForeignKey(Household, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")

    objects = ListedWithoutLabourQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["year", "village_id", "head_pinyin", "sheet"],
                include=["household"],
                name="listed_without_labour",
            )
        ]

    def __str__(self) -> str:
        return f"{self.household_id}/{self.year}"
