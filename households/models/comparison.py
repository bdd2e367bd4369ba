"""Figures that compare who types cards, and villages: written by the search for leads, read by offices."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet


class ComparisonQuerySet(ScopedQuerySet):
    area_field = "area"
    household_field = None
    read_capability = "read_fairness"


class Comparison(models.Model):
    """One village, or one person who typed (by the name on the sheets, told apart by township), in one year.

    Shares are of the unit's cards, 0 to 1; q-values are false discovery rates over all units of the county (null: too
    few cards to test). `expected_below` is what the others of the county let expect in the window below the line.
    """

    class Unit(models.TextChoices):
        CLERK = "clerk", _("录入人")
        VILLAGE = "village", _("行政村")

    unit = models.CharField(max_length=7, choices=Unit)
    area = models.BigIntegerField(help_text="code of the village, or of the clerk's township")
    name = models.CharField(max_length=200, blank=True, help_text="of the clerk")
    year = models.SmallIntegerField(_("年度"))
    cards = models.PositiveIntegerField(_("户数"))
    below_line = models.FloatField(_("低于标准"), default=0)
    window_below = models.PositiveIntegerField(default=0)
    window_above = models.PositiveIntegerField(default=0)
    expected_below = models.FloatField(null=True)
    bunching_q = models.FloatField(null=True)
    digit_excess = models.FloatField(null=True)
    digit_q = models.FloatField(null=True)
    median_seconds = models.FloatField(_("录入间隔"), null=True)
    helped = models.PositiveIntegerField(_("享受帮扶"), default=0)
    helped_expected = models.FloatField(null=True)
    rate_q = models.FloatField(null=True)
    decided = models.PositiveIntegerField(default=0, help_text="leads on its cards that an office decided")
    confirmed = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ComparisonQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["year", "unit", "area", "name"], name="comparison_once"),
            models.CheckConstraint(name="comparison_unit", condition=Q(unit__in=["clerk", "village"])),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.name or self.area} {self.year}"

    @property
    def confirmed_share(self) -> float | None:
        return self.confirmed / self.decided if self.decided else None
