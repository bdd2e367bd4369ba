"""The village card: the external environment of the households, part of the index."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models.history import keep_history


class VillageCardQuerySet(ScopedQuerySet):
    area_field = "village_id"


@keep_history
class VillageCard(models.Model):
    """A village's facts of one year (reference/village_fields.csv). Unknown is NULL, never zero."""

    village = models.ForeignKey(Division, models.PROTECT, related_name="village_cards", verbose_name=_("行政村"))
    year = models.SmallIntegerField(_("年度"))
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(db_default=Now())
    households = models.PositiveIntegerField(_("总户数"), null=True)
    rural_persons = models.PositiveIntegerField(_("乡村人口"), null=True)
    resident_labour = models.PositiveIntegerField(_("常住劳动力"), null=True)
    away_labour = models.PositiveIntegerField(_("外出务工人数"), null=True)
    cultivated_land = models.DecimalField(_("耕地面积"), max_digits=10, decimal_places=2, null=True)
    terrain = models.CharField(_("地形"), max_length=12, blank=True)
    county_seat_distance = models.DecimalField(_("距县城"), max_digits=10, decimal_places=2, null=True)
    hardened_road = models.BooleanField(_("通村道路硬化"), null=True)
    groups_without_road = models.PositiveIntegerField(_("未通硬化路的村民小组"), null=True)
    safe_water_households = models.PositiveIntegerField(_("安全饮水户数"), null=True)
    clinic = models.BooleanField(_("标准化卫生室"), null=True)
    doctors = models.PositiveIntegerField(_("乡村医生"), null=True)
    school = models.BooleanField(_("小学或教学点"), null=True)
    broadband = models.BooleanField(_("通宽带"), null=True)
    collective_income = models.DecimalField(_("集体经济收入"), max_digits=14, decimal_places=2, null=True)
    leading_industries = ArrayField(models.CharField(max_length=20), verbose_name=_("主导产业"), default=list)
    cooperatives = models.PositiveIntegerField(_("合作社数"), null=True)
    disasters = ArrayField(models.CharField(max_length=20), verbose_name=_("灾害"), default=list)
    poor_village = models.BooleanField(_("贫困村"), null=True)
    hat_removal_year = models.SmallIntegerField(_("摘帽年度"), null=True)

    objects = VillageCardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["village", "year"], name="village_card_once_a_year"),
            models.CheckConstraint(
                name="village_card_not_negative",
                condition=(Q(cultivated_land=None) | Q(cultivated_land__gte=0))
                & (Q(county_seat_distance=None) | Q(county_seat_distance__gte=0))
                & (Q(collective_income=None) | Q(collective_income__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.village} {self.year}"
