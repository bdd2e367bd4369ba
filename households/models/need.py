"""Needs and wishes of a household in one year."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models.history import keep_history
from households.models.household import Household


class HouseholdNeedQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "household_id"


@keep_history
class HouseholdNeed(models.Model):
    """What a household named in a year, one row a kind (reference/need_kinds.csv); no row: not named."""

    class Urgency(models.TextChoices):
        URGENT = "urgent", _("急需")
        THIS_YEAR = "this_year", _("今年内")
        LATER = "later", _("以后")

    household = models.ForeignKey(Household, models.PROTECT, related_name="needs")
    village = models.ForeignKey(Division, models.PROTECT)
    year = models.SmallIntegerField(_("年度"))
    kind = models.CharField(_("诉求"), max_length=20)
    urgency = models.CharField(_("紧急程度"), max_length=9, choices=Urgency)
    detail = models.CharField(_("说明"), max_length=200, blank=True)

    objects = HouseholdNeedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["village", "year", "kind", "urgency"])]
        constraints = [
            models.UniqueConstraint(fields=["household", "year", "kind"], name="household_need_once"),
            models.CheckConstraint(
                name="household_need_urgency", condition=Q(urgency__in=["urgent", "this_year", "later"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household_id}/{self.year} {self.kind}"
