"""What the list of cards filters by, beside the keys of its order: one index answers both."""

from django.db import models

from changde.accounts.areas import ScopedQuerySet
from households.models.household import Household
from households.models.sheet import Sheet


class ListedCardQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "household_id"


class ListedCard(models.Model):
    """A copy, kept by triggers of the database (sql/listed_cards.sql): one row for each sheet of a card that is open.

    `village_id` and `head_pinyin` are the household's of today, `cause` is the sheet's, `outcome` the current result's
    of the year ("" without one). Nobody writes it: whoever changes household, sheet, result or the run that a township
    shows, and however, has changed it in the same transaction. `manage.py list_cards` compares it with its sources.
    """

    sheet = models.OneToOneField(Sheet, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+")
    household = models.ForeignKey(Household, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    year = models.SmallIntegerField()
    village_id = models.BigIntegerField()
    head_pinyin = models.CharField(max_length=200)
    cause = models.CharField(max_length=20)
    outcome = models.CharField(max_length=12)

    objects = ListedCardQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["year", "outcome", "village_id", "head_pinyin", "sheet"], name="listed_outcome"),
            models.Index(fields=["year", "cause", "village_id", "head_pinyin", "sheet"], name="listed_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.household_id}/{self.year}"
