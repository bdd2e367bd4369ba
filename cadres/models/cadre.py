"""A cadre: who it is, what the cadre can do, and where the cadre may not or would like to go."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cadres.models.unit import Unit
from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt
from changde.crypto.masking import mask_id_number, mask_phone
from households.models.history import keep_history


class CadreQuerySet(ScopedQuerySet):
    area_field = "unit__division_id"
    read_capability = "read_cadres"

    def visible_to(self, user: Any, capability: str | None = None) -> Any:
        """Cadres of the units in one's area, and those posted or proposed to a village in it."""
        from cadres.models.plan import PlanAssignment
        from cadres.models.posting import Posting

        capability = capability or self.read_capability
        here = super().visible_to(user, capability)
        if capability != self.read_capability:  # a write reaches the cadres of one's own units only
            return here
        posted = Posting.objects.visible_to(user, capability).filter(cadre=OuterRef("pk"))
        proposed = PlanAssignment.objects.visible_to(user, capability).filter(cadre=OuterRef("pk"))
        return self.filter(Q(pk__in=here.values("pk")) | Exists(posted) | Exists(proposed))


@keep_history
class Cadre(models.Model):
    """One cadre (reference/cadre_fields.csv). ID number and phone are encrypted, bound to this id, found by keyed hash.

    Empty means not stated. `home_village` and `avoid_villages` are codes, not keys: the home may lie in another city.
    """

    SEXES = [("男", _("男")), ("女", _("女"))]
    POLITICAL_STATUS = ["群众", "共青团员", "中共党员", "中共预备党员", "民主党派"]
    EDUCATION = ["初中", "高中", "中专", "大专", "本科", "硕士", "博士"]
    ASSESSMENTS = ["优秀", "称职", "基本称职", "不称职"]

    staff_number = models.CharField(_("工号"), max_length=40, unique=True)
    name = models.CharField(_("姓名"), max_length=60)
    pinyin = models.CharField(max_length=200, blank=True)
    initials = models.CharField(max_length=60, blank=True)
    sex = models.CharField(_("性别"), max_length=1, blank=True, choices=SEXES)
    id_number_cipher = models.BinaryField(null=True)
    id_number_hash = models.BinaryField(null=True, max_length=32)
    phone_cipher = models.BinaryField(null=True)
    phone_hash = models.BinaryField(null=True, max_length=32)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="cadres", verbose_name=_("单位"))
    position = models.CharField(_("职务"), max_length=100, blank=True)
    rank = models.CharField(_("职级"), max_length=60, blank=True)
    political_status = models.CharField(_("政治面貌"), max_length=6, blank=True)
    education = models.CharField(_("学历"), max_length=2, blank=True)
    major = models.CharField(_("专业"), max_length=100, blank=True)
    dialects = ArrayField(models.CharField(max_length=40), verbose_name=_("方言"), default=list, blank=True)
    home_village = models.BigIntegerField(_("籍贯村"), null=True, blank=True)
    avoid_villages = ArrayField(models.BigIntegerField(), verbose_name=_("回避村"), default=list, blank=True)
    rural_years = models.PositiveSmallIntegerField(_("农村工作年限"), null=True, blank=True)
    last_assessment = models.CharField(_("上年考核"), max_length=4, blank=True)
    available_from = models.DateField(_("可派驻起"), null=True, blank=True)
    available_to = models.DateField(_("可派驻止"), null=True, blank=True)
    wished_counties = ArrayField(models.BigIntegerField(), verbose_name=_("意向县"), default=list, blank=True)
    possible_roles = ArrayField(models.CharField(max_length=6), verbose_name=_("可任角色"), default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(db_default=Now())

    objects = CadreQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["pinyin", "id"]),
            models.Index(fields=["unit", "pinyin", "id"]),
            models.Index(fields=["phone_hash"], condition=Q(phone_hash__isnull=False), name="cadre_phone_hash"),
        ]
        constraints = [
            models.CheckConstraint(name="cadre_named", condition=~Q(name="") & ~Q(staff_number="")),
            models.CheckConstraint(name="cadre_sex", condition=Q(sex__in=["男", "女", ""])),
            models.UniqueConstraint(
                fields=["id_number_hash"], condition=Q(id_number_hash__isnull=False), name="cadre_id_number_once"
            ),
            models.CheckConstraint(
                name="cadre_number_and_hash_together",
                condition=Q(id_number_cipher=None, id_number_hash=None)
                | Q(id_number_cipher__isnull=False, id_number_hash__isnull=False),
            ),
            models.CheckConstraint(
                name="cadre_phone_and_hash_together",
                condition=Q(phone_cipher=None, phone_hash=None)
                | Q(phone_cipher__isnull=False, phone_hash__isnull=False),
            ),
            models.CheckConstraint(
                name="cadre_political_status",
                condition=Q(political_status__in=["群众", "共青团员", "中共党员", "中共预备党员", "民主党派", ""]),
            ),
            models.CheckConstraint(
                name="cadre_education",
                condition=Q(education__in=["初中", "高中", "中专", "大专", "本科", "硕士", "博士", ""]),
            ),
            models.CheckConstraint(
                name="cadre_assessment", condition=Q(last_assessment__in=["优秀", "称职", "基本称职", "不称职", ""])
            ),
            models.CheckConstraint(
                name="cadre_roles",
                condition=Q(possible_roles__contained_by=["第一书记", "驻村工作队员", "专业书记", "帮扶责任人"]),
            ),
            models.CheckConstraint(
                name="cadre_available_period",
                condition=Q(available_from=None) | Q(available_to=None) | Q(available_to__gte=F("available_from")),
            ),
            models.CheckConstraint(name="cadre_rural_years", condition=Q(rural_years=None) | Q(rural_years__lte=60)),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.staff_number}）"

    @property
    def id_number(self) -> str | None:
        """The open number: for import and export only, no page shows it."""
        return decrypt(self.id_number_cipher, field="cadre.id_number", owner=self.pk)

    @property
    def phone(self) -> str | None:
        return decrypt(self.phone_cipher, field="cadre.phone", owner=self.pk)

    @property
    def masked_id_number(self) -> str:
        return mask_id_number(self.id_number)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)


class CadreSkillQuerySet(ScopedQuerySet):
    area_field = "cadre__unit__division_id"
    read_capability = "read_cadres"


class CadreSkill(models.Model):
    """A skill and how well: 1 basic, 2 good, 3 expert."""

    LEVELS = [(1, _("入门")), (2, _("熟练")), (3, _("专长"))]

    cadre = models.ForeignKey(Cadre, models.CASCADE, related_name="skills")
    skill = models.CharField(_("技能"), max_length=4)
    level = models.PositiveSmallIntegerField(_("水平"), choices=LEVELS)

    objects = CadreSkillQuerySet.as_manager()

    class Meta:
        ordering = ["-level", "id"]
        constraints = [
            models.UniqueConstraint(fields=["cadre", "skill"], name="cadre_skill_once"),
            models.CheckConstraint(name="cadre_skill_level", condition=Q(level__range=(1, 3))),
            models.CheckConstraint(name="cadre_skill_named", condition=~Q(skill="")),
        ]

    def __str__(self) -> str:
        return f"{self.skill}({self.level})"

    @property
    def label(self) -> str:
        """Skill and level for people."""
        return f"{gettext(self.skill)} {self.level}"
