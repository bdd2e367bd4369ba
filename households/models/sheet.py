"""A card's facts of one accounting year, and each member's."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.domain.income import member_counts
from households.models.history import keep_history
from households.models.household import Household
from households.models.person import Person


class SheetQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "household_id"


@keep_history
class Sheet(models.Model):
    """Income, conditions and needs of a household in one accounting year (reference/card_fields.csv, entity sheet).

    Money is yuan. Empty means unknown, never zero. transfer_income, net_income and per_capita_income are worked out
    by the services from the parts (domain: income). `village` is where the household lived in that year.
    """

    household = models.ForeignKey(
        Household, models.PROTECT, related_name="sheets", db_index=False
    )  # leads a longer index
    village = models.ForeignKey(Division, models.PROTECT)
    year = models.SmallIntegerField(_("年度"))
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(db_default=Now())
    members_counted = models.PositiveSmallIntegerField(default=0, help_text="members in per-capita income")
    attribute = models.CharField(_("贫困户属性"), max_length=13, blank=True)
    main_cause = models.CharField(_("主要致贫原因"), max_length=16, blank=True)
    other_causes = ArrayField(models.CharField(max_length=20), verbose_name=_("其他致贫原因"), default=list)
    exit_flag = models.CharField(_("脱贫标志"), max_length=12, blank=True)
    exit_year = models.SmallIntegerField(_("脱贫年度"), null=True)
    wage_income = models.DecimalField(_("工资性收入"), max_digits=14, decimal_places=2, null=True)
    business_income = models.DecimalField(_("生产经营性收入"), max_digits=14, decimal_places=2, null=True)
    property_income = models.DecimalField(_("财产性收入"), max_digits=14, decimal_places=2, null=True)
    family_planning = models.DecimalField(_("计划生育金"), max_digits=14, decimal_places=2, null=True)
    dibao = models.DecimalField(_("低保金"), max_digits=14, decimal_places=2, null=True)
    wubao = models.DecimalField(_("五保金"), max_digits=14, decimal_places=2, null=True)
    pension = models.DecimalField(_("养老保险金"), max_digits=14, decimal_places=2, null=True)
    ecological_compensation = models.DecimalField(_("生态补偿金"), max_digits=14, decimal_places=2, null=True)
    other_transfer = models.DecimalField(_("其他转移性收入"), max_digits=14, decimal_places=2, null=True)
    transfer_income = models.DecimalField(_("转移性收入"), max_digits=14, decimal_places=2, null=True)
    production_expenses = models.DecimalField(_("生产经营性支出"), max_digits=14, decimal_places=2, null=True)
    net_income = models.DecimalField(_("家庭年纯收入"), max_digits=14, decimal_places=2, null=True)
    per_capita_income = models.DecimalField(_("人均纯收入"), max_digits=14, decimal_places=2, null=True)
    medical_cost = models.DecimalField(_("自付医疗支出"), max_digits=14, decimal_places=2, null=True)
    cultivated_land = models.DecimalField(_("耕地面积"), max_digits=10, decimal_places=2, null=True)
    irrigated_land = models.DecimalField(_("有效灌溉面积"), max_digits=10, decimal_places=2, null=True)
    forest_land = models.DecimalField(_("林地面积"), max_digits=10, decimal_places=2, null=True)
    converted_forest = models.DecimalField(_("退耕还林面积"), max_digits=10, decimal_places=2, null=True)
    orchard = models.DecimalField(_("林果面积"), max_digits=10, decimal_places=2, null=True)
    pasture = models.DecimalField(_("牧草地面积"), max_digits=10, decimal_places=2, null=True)
    water_surface = models.DecimalField(_("水面面积"), max_digits=10, decimal_places=2, null=True)
    pigs = models.PositiveIntegerField(_("生猪存栏"), null=True)
    cattle = models.PositiveIntegerField(_("牛存栏"), null=True)
    sheep = models.PositiveIntegerField(_("羊存栏"), null=True)
    poultry = models.PositiveIntegerField(_("家禽存栏"), null=True)
    production_power = models.BooleanField(_("是否通生产用电"), null=True)
    domestic_power = models.BooleanField(_("是否通生活用电"), null=True)
    water_difficult = models.BooleanField(_("饮水是否困难"), null=True)
    water_safe = models.BooleanField(_("饮水是否安全"), null=True)
    road_distance = models.DecimalField(_("与村主干路距离"), max_digits=10, decimal_places=2, null=True)
    entrance_road = models.CharField(_("入户路类型"), max_length=12, blank=True)
    house_area = models.DecimalField(_("住房面积"), max_digits=10, decimal_places=2, null=True)
    unsafe_house = models.BooleanField(_("是否危房户"), null=True)
    house_grade = models.CharField(_("危房级别"), max_length=12, blank=True)
    sanitary_toilet = models.BooleanField(_("是否有卫生厕所"), null=True)
    main_fuel = models.CharField(_("主要燃料类型"), max_length=12, blank=True)
    cooperative = models.BooleanField(_("是否加入农民专业合作社"), null=True)
    television = models.BooleanField(_("是否通广播电视"), null=True)
    broadband = models.BooleanField(_("是否通宽带"), null=True)
    owns_car = models.BooleanField(_("是否有生活用汽车"), null=True)
    owns_machine = models.BooleanField(_("是否有大型农机"), null=True)
    owns_flat = models.BooleanField(_("是否有商品房"), null=True)
    owns_company = models.BooleanField(_("是否办企业"), null=True)
    public_payroll = models.BooleanField(_("是否有财政供养人员"), null=True)
    request = models.CharField(_("主要诉求"), max_length=1000, blank=True)
    entered_by = models.CharField(_("录入人"), max_length=200, blank=True)
    entered_at = models.DateTimeField(_("录入时间"), null=True)

    objects = SheetQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "year", "household"]),
            models.Index(fields=["year", "village"], name="sheet_year_village"),
            # Filters of the list: a rare value of a whole city is found from here, a common one by walking the list.
            models.Index(fields=["year", "attribute", "household"], name="sheet_attribute"),
            models.Index(fields=["year", "main_cause", "household"], name="sheet_main_cause"),
            models.Index(fields=["year", "exit_flag", "household"], name="sheet_exit_flag"),
            models.Index(
                fields=["year", "per_capita_income", "id"], include=["household"], name="sheet_per_capita_income"
            ),
            models.Index(
                fields=["entered_by", "year", "household"],
                opclasses=["varchar_pattern_ops", "int2_ops", "int8_ops"],
                name="sheet_entered_by",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["household", "year"], name="sheet_once_a_year"),
            models.CheckConstraint(name="sheet_year", condition=Q(year__range=(2010, 2100))),
            models.CheckConstraint(
                name="sheet_income_not_negative",
                condition=(Q(wage_income=None) | Q(wage_income__gte=0))
                & (Q(business_income=None) | Q(business_income__gte=0))
                & (Q(property_income=None) | Q(property_income__gte=0))
                & (Q(family_planning=None) | Q(family_planning__gte=0))
                & (Q(dibao=None) | Q(dibao__gte=0))
                & (Q(wubao=None) | Q(wubao__gte=0))
                & (Q(pension=None) | Q(pension__gte=0))
                & (Q(ecological_compensation=None) | Q(ecological_compensation__gte=0))
                & (Q(other_transfer=None) | Q(other_transfer__gte=0))
                & (Q(transfer_income=None) | Q(transfer_income__gte=0))
                & (Q(production_expenses=None) | Q(production_expenses__gte=0))
                & (Q(medical_cost=None) | Q(medical_cost__gte=0)),
            ),
            models.CheckConstraint(
                name="sheet_area_not_negative",
                condition=(Q(cultivated_land=None) | Q(cultivated_land__gte=0))
                & (Q(irrigated_land=None) | Q(irrigated_land__gte=0))
                & (Q(forest_land=None) | Q(forest_land__gte=0))
                & (Q(converted_forest=None) | Q(converted_forest__gte=0))
                & (Q(orchard=None) | Q(orchard__gte=0))
                & (Q(pasture=None) | Q(pasture__gte=0))
                & (Q(water_surface=None) | Q(water_surface__gte=0))
                & (Q(road_distance=None) | Q(road_distance__gte=0))
                & (Q(house_area=None) | Q(house_area__gte=0)),
            ),
            models.CheckConstraint(
                name="sheet_irrigated_within_cultivated",
                condition=Q(irrigated_land=None)
                | Q(cultivated_land=None)
                | Q(irrigated_land__lte=F("cultivated_land")),
            ),
            models.CheckConstraint(
                name="sheet_house_grade", condition=Q(house_grade__in=["A级", "B级", "C级", "D级", ""])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household_id}/{self.year}"


class MemberSheetQuerySet(ScopedQuerySet):
    area_field = "sheet__village_id"
    household_field = "sheet__household_id"


@keep_history
class MemberSheet(models.Model):
    """A member's facts of one accounting year (reference/card_fields.csv, entity member_sheet)."""

    sheet = models.ForeignKey(Sheet, models.CASCADE, related_name="members", db_index=False)  # leads a longer index
    person = models.ForeignKey(Person, models.PROTECT, related_name="sheets")
    relation = models.CharField(_("与户主关系"), max_length=12)
    position = models.PositiveSmallIntegerField(default=0)
    education = models.CharField(_("文化程度"), max_length=14, blank=True)
    school_status = models.CharField(_("在校生状况"), max_length=13, blank=True)
    out_of_school_reason = models.CharField(_("失学或辍学原因"), max_length=200, blank=True)
    health = ArrayField(models.CharField(max_length=20), verbose_name=_("健康状况"), default=list)
    disability_grade = models.CharField(_("残疾等级"), max_length=12, blank=True)
    labour = models.CharField(_("劳动技能"), max_length=17, blank=True)
    work_place = models.CharField(_("务工区域"), max_length=15, blank=True)
    work_months = models.PositiveSmallIntegerField(_("务工时间"), null=True)
    local_job = models.BooleanField(_("本地就业"), null=True)
    public_post = models.BooleanField(_("公益性岗位"), null=True)
    counts = models.BooleanField(_("是否计入家庭人口"), null=True)
    residents_insurance = models.BooleanField(_("是否参加城乡居民基本医疗保险"), null=True)
    employees_insurance = models.BooleanField(_("是否参加城镇职工基本医疗保险"), null=True)
    serious_illness_insurance = models.BooleanField(_("是否参加大病保险"), null=True)
    residents_pension = models.BooleanField(_("是否参加城乡居民基本养老保险"), null=True)
    employees_pension = models.BooleanField(_("是否参加城镇职工基本养老保险"), null=True)
    dibao = models.BooleanField(_("是否享受低保"), null=True)
    soldier = models.BooleanField(_("是否现役军人"), null=True)
    political_status = models.CharField(_("政治面貌"), max_length=14, blank=True)

    objects = MemberSheetQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["labour", "sheet"], name="member_sheet_labour"),
            # One small index for each state of health a list is filtered by; most members are healthy and in none.
            *(
                models.Index(fields=["sheet"], condition=Q(health__contains=[state]), name=f"member_sheet_{name}")
                for name, state in (("chronic", "长期慢性病"), ("serious", "患有大病"), ("disabled", "残疾"))
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "person"], name="member_sheet_once"),
            models.CheckConstraint(
                name="member_sheet_months", condition=Q(work_months=None) | Q(work_months__range=(1, 12))
            ),
        ]

    @property
    def is_counted(self) -> bool:
        """Counts in per-capita income (domain.income)."""
        return member_counts(self.counts, self.soldier)
