"""The lines of a sheet's income worksheet."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from households.domain.worksheet import PART_OF
from households.models.history import keep_history
from households.models.person import Person
from households.models.sheet import Sheet


class IncomeLineQuerySet(ScopedQuerySet):
    area_field = "sheet__village_id"
    household_field = "sheet__household_id"


@keep_history
class IncomeLine(models.Model):
    """One line of a part of a sheet's income (domain.worksheet); money is yuan of the accounting year.

    A line is never changed: a part whose lines change gets new rows, and the old ones go into the history. `version`
    is the card's version that wrote the row, so that an earlier version of the card can be put together again.
    """

    class Kind(models.TextChoices):
        WAGE = "wage", _("工资")
        CROP = "crop", _("种植")
        ANIMAL = "animal", _("养殖")
        BUSINESS = "business", _("其他经营")
        LAND_RENT = "land_rent", _("土地流转租金")
        DIVIDEND = "dividend", _("分红或利息")
        OTHER_PROPERTY = "other_property", _("其他财产性收入")
        FAMILY_PLANNING = "family_planning", _("计划生育金")
        DIBAO = "dibao", _("低保金")
        WUBAO = "wubao", _("五保金")
        PENSION = "pension", _("养老保险金")
        ECOLOGICAL_COMPENSATION = "ecological_compensation", _("生态补偿金")
        SUBSIDY = "subsidy", _("惠农补贴")
        SUPPORT = "support", _("亲属赡养或寄回")
        OTHER_TRANSFER = "other_transfer", _("其他转移性收入")
        SEED = "seed", _("种子种苗")
        FERTILISER = "fertiliser", _("化肥农药")
        FEED = "feed", _("饲料")
        YOUNG_ANIMALS = "young_animals", _("仔畜幼禽")
        MACHINE = "machine", _("机械作业")
        HIRED_LABOUR = "hired_labour", _("雇工")
        RENT_PAID = "rent_paid", _("付出的租金")
        OTHER_EXPENSE = "other_expense", _("其他支出")

    class Known(models.TextChoices):
        """How the amount is known."""

        PAPER = "paper", _("有单据")
        REGISTER = "register", _("部门登记")
        ESTIMATE = "estimate", _("估计")

    sheet = models.ForeignKey(Sheet, models.CASCADE, related_name="lines")
    version = models.PositiveIntegerField(default=1)
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("种类"), max_length=24, choices=Kind)
    item = models.CharField(_("项目"), max_length=60, blank=True)
    quantity = models.DecimalField(_("数量"), max_digits=10, decimal_places=2, null=True, help_text="mu or head")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    months = models.PositiveSmallIntegerField(_("月数"), null=True)
    monthly = models.DecimalField(_("每月金额"), max_digits=14, decimal_places=2, null=True)
    amount = models.DecimalField(_("全年金额"), max_digits=14, decimal_places=2)
    known = models.CharField(_("依据"), max_length=8, choices=Known)

    objects = IncomeLineQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(name="income_line_kind", condition=Q(kind__in=list(PART_OF))),
            models.CheckConstraint(name="income_line_known", condition=Q(known__in=["paper", "register", "estimate"])),
            models.CheckConstraint(name="income_line_amount_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="income_line_quantity_positive", condition=Q(quantity=None) | Q(quantity__gt=0)
            ),
            models.CheckConstraint(
                name="income_line_months", condition=Q(months=None) | Q(months__range=(1, 12), kind="wage")
            ),
            models.CheckConstraint(name="income_line_person_earns_wage", condition=Q(person=None) | Q(kind="wage")),
            models.CheckConstraint(
                name="income_line_months_times_monthly",
                condition=Q(monthly=None) | Q(months__isnull=False, amount=F("monthly") * F("months")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.item} {self.amount}".replace("  ", " ")

    @property
    def part(self) -> str:
        """The field of the sheet it is a piece of."""
        return PART_OF[self.kind]
