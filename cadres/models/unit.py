"""The departments, towns, firms and schools that cadres come from."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division


class UnitQuerySet(ScopedQuerySet):
    area_field = "division_id"
    read_capability = "read_cadres"


class Unit(models.Model):
    """A unit at a division. `quota` is the most cadres that may be taken from it (empty: no limit)."""

    class Kind(models.TextChoices):
        CITY_DEPARTMENT = "市直部门", _("市直部门")
        COUNTY_DEPARTMENT = "县直部门", _("县直部门")
        TOWNSHIP = "乡镇", _("乡镇")
        STATE_FIRM = "国有企业", _("国有企业")
        UNIVERSITY = "高校", _("高校")
        HOSPITAL = "医院", _("医院")
        OTHER = "其他", _("其他")

    name = models.CharField(_("单位"), max_length=100)
    kind = models.CharField(_("单位类别"), max_length=4, choices=Kind)
    division = models.ForeignKey(Division, models.PROTECT, verbose_name=_("单位所在区划"))
    quota = models.PositiveSmallIntegerField(_("最多可派人数"), null=True, blank=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "name"], name="unit_name_once_a_division"),
            models.CheckConstraint(name="unit_named", condition=~Q(name="")),
            models.CheckConstraint(
                name="unit_kind",
                condition=Q(kind__in=["市直部门", "县直部门", "乡镇", "国有企业", "高校", "医院", "其他"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name
