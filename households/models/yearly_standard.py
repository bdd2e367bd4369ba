"""The yearly standard of a county: local yields and values a mu, a head and a day of work."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.divisions.models import Division
from households.domain.income import to_fen
from households.domain.yearly_standard import HERDS, LAND, Rate, Standard

CITY = 430700000000  # whose office keeps the default
# What an office fills in of a rate.
RATE_COLUMNS = (
    "kind", "item", "yield_low", "yield_high", "low", "high", "net_low", "net_high", "proposed_by", "source",
)  # fmt: skip


class YearlyStandardQuerySet(models.QuerySet):
    def in_force(self) -> "YearlyStandardQuerySet":
        return self.filter(state=YearlyStandard.State.RELEASED)


class YearlyStandard(models.Model):
    """One version of a standard: a county's (division), or the city's default (no division), for one year.

    A released one and its rates are frozen by the database; all that is left is that a later release supersedes it.
    `revision` rises with every edit of a draft, so that two people cannot overwrite one another.
    """

    scope = "reference"

    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        RELEASED = "released", _("已发布")
        SUPERSEDED = "superseded", _("已被替代")

    division = models.ForeignKey(Division, models.PROTECT, null=True, verbose_name=_("县(市、区)"))
    year = models.SmallIntegerField(_("年度"))
    number = models.PositiveSmallIntegerField(_("版本"))
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    days_low = models.PositiveSmallIntegerField(_("每月出工天数（少）"), default=20)
    days_high = models.PositiveSmallIntegerField(_("每月出工天数（多）"), default=26)
    tolerance = models.PositiveSmallIntegerField(_("超出范围多少算相差大"), default=50, help_text="percent")
    based_on = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)

    objects = YearlyStandardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "year", "number"], nulls_distinct=False, name="yearly_standard_number_once"
            ),
            models.UniqueConstraint(
                fields=["division", "year"],
                condition=Q(state="released"),
                nulls_distinct=False,
                name="yearly_standard_one_in_force",
            ),
            models.CheckConstraint(name="yearly_standard_year", condition=Q(year__range=(2010, 2100))),
            models.CheckConstraint(
                name="yearly_standard_days",
                condition=Q(days_low__gte=1, days_low__lte=F("days_high"), days_high__lte=31),
            ),
            models.CheckConstraint(name="yearly_standard_tolerance", condition=Q(tolerance__range=(0, 100))),
            models.CheckConstraint(
                name="yearly_standard_released_when",
                condition=Q(state="draft", released_at=None)
                | Q(state__in=["released", "superseded"], released_at__isnull=False),
            ),
            models.CheckConstraint(
                name="yearly_standard_superseded_when", condition=Q(state="superseded") ^ Q(superseded_at=None)
            ),
            models.CheckConstraint(
                name="yearly_standard_released_by_two",
                condition=Q(released_by=None) | (Q(proposed_by__isnull=False) & ~Q(released_by=F("proposed_by"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.year}-{self.number}"

    @property
    def place(self) -> str:
        return self.division.name if self.division else str(_("全市默认"))

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    def plain(self) -> Standard:
        """The standard as domain.yearly_standard counts with it."""
        return Standard(
            year=self.year,
            rates=tuple(rate.plain() for rate in self.rates.all()),
            days_low=self.days_low,
            days_high=self.days_high,
            tolerance=self.tolerance,
        )


class StandardRate(models.Model):
    """One item of a standard: yuan a mu, a head or a day, from low to high; kilograms a mu or head for orientation."""

    scope = "reference"

    class Kind(models.TextChoices):
        CROP = "crop", _("种植（亩）")
        ANIMAL = "animal", _("养殖（头、只）")
        WAGE = "wage", _("务工（天）")

    standard = models.ForeignKey(YearlyStandard, models.CASCADE, related_name="rates")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("种类"), max_length=6, choices=Kind)
    item = models.CharField(_("项目"), max_length=60)
    yield_low = models.DecimalField(_("产量低"), max_digits=8, decimal_places=1, null=True, help_text="kg")
    yield_high = models.DecimalField(_("产量高"), max_digits=8, decimal_places=1, null=True, help_text="kg")
    low = models.DecimalField(_("产值低"), max_digits=10, decimal_places=2)
    high = models.DecimalField(_("产值高"), max_digits=10, decimal_places=2)
    net_low = models.DecimalField(_("净值低"), max_digits=10, decimal_places=2, null=True)
    net_high = models.DecimalField(_("净值高"), max_digits=10, decimal_places=2, null=True)
    proposed_by = models.CharField(_("由户卡哪一项建议"), max_length=20, blank=True)
    source = models.CharField(_("依据"), max_length=200, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["standard", "kind", "item"], name="standard_rate_once"),
            models.CheckConstraint(name="standard_rate_kind", condition=Q(kind__in=["crop", "animal", "wage"])),
            models.CheckConstraint(name="standard_rate_named", condition=~Q(item="")),
            models.CheckConstraint(name="standard_rate_range", condition=Q(low__gt=0, low__lte=F("high"))),
            models.CheckConstraint(
                name="standard_rate_net_range",
                condition=Q(net_low=None, net_high=None)
                | Q(net_low__isnull=False, net_high__isnull=False, net_low__lte=F("net_high"), net_high__lte=F("high")),
            ),
            models.CheckConstraint(
                name="standard_rate_yield_range",
                condition=Q(yield_low=None, yield_high=None)
                | Q(yield_low__isnull=False, yield_high__isnull=False, yield_low__gt=0, yield_low__lte=F("yield_high")),
            ),
            models.CheckConstraint(name="standard_rate_proposed_by", condition=Q(proposed_by__in=["", *LAND, *HERDS])),
        ]

    def __str__(self) -> str:
        return self.item

    def plain(self) -> Rate:
        return Rate(
            kind=self.kind,
            item=self.item,
            low=to_fen(self.low),
            high=to_fen(self.high),
            net_low=None if self.net_low is None else to_fen(self.net_low),
            net_high=None if self.net_high is None else to_fen(self.net_high),
            proposed_by=self.proposed_by,
        )
