"""What the search box looks for, beside the keys of the list's order: one index finds names and gives the order."""

from django.db import models

from changde.accounts.areas import ScopedQuerySet
from households.models.household import Household
from households.models.person import Person

_ORDER = ["village_id", "head_pinyin", "household"]


class ListedMemberQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "household_id"


class ListedMember(models.Model):
    """A copy, kept by triggers of the database (sql/listed_members.sql): one row for each member on an open card.

    `village_id` and `head_pinyin` are the household's, the names the person's. Nobody writes it: whoever changes
    membership, person or household, and however, has changed it in the same transaction. `manage.py list_cards`
    compares it with its sources.
    """

    person = models.OneToOneField(Person, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+")
    village_id = models.BigIntegerField()
    household = models.ForeignKey(Household, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    head_pinyin = models.CharField(max_length=200)
    name = models.CharField(max_length=60)
    pinyin = models.CharField(max_length=200)
    initials = models.CharField(max_length=60)

    objects = ListedMemberQuerySet.as_manager()

    class Meta:
        indexes = [
            # A common name: walk the list in its order, names at hand, until the page is full. A rare one: all that
            # have it, the keys of the order at hand. Neither reads the table.
            models.Index(fields=_ORDER, include=["name", "pinyin", "initials"], name="listed_member_order"),
            *(
                models.Index(
                    fields=[key, *_ORDER],
                    opclasses=["varchar_pattern_ops", "int8_ops", "text_ops", "int8_ops"],
                    name=f"listed_member_{key}",
                )
                for key in ("name", "pinyin", "initials")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household_id}/{self.person_id}"
