"""Who runs a village, and their relatives as declared: for findings of favor alone, and for the county's eyes alone."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt
from changde.crypto.masking import mask_account, mask_id_number, mask_name, mask_phone
from changde.divisions.models import Division
from households.models.history import keep_history


class VillageCadreQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "manage_village_cadres"


@keep_history
class VillageCadre(models.Model):
    """A cadre of a village's own committee (not one who is sent: that is cadres.Cadre).

    Numbers are encrypted, bound to this id, and found by keyed hash (kinds id, phone, account). The term of office is
    `valid_from` to `valid_to`, both inclusive; empty means not stated, or still in office.
    """

    class Post(models.TextChoices):
        SECRETARY = "secretary", _("村党组织书记")
        DIRECTOR = "director", _("村委会主任")
        DEPUTY = "deputy", _("副书记、副主任")
        MEMBER = "member", _("委员")
        CLERK = "clerk", _("会计、文书")
        SUPERVISOR = "supervisor", _("村务监督委员会成员")
        GROUP_LEADER = "group_leader", _("村民小组长")
        OTHER = "other", _("其他")

    village = models.ForeignKey(Division, models.PROTECT, verbose_name=_("行政村"))
    name = models.CharField(_("姓名"), max_length=60)
    post = models.CharField(_("村内职务"), max_length=12, choices=Post)
    number_cipher = models.BinaryField(null=True)
    number_hash = models.BinaryField(null=True, max_length=32)
    phone_cipher = models.BinaryField(null=True)
    phone_hash = models.BinaryField(null=True, max_length=32)
    account_cipher = models.BinaryField(null=True)
    account_hash = models.BinaryField(null=True, max_length=32)
    valid_from = models.DateField(_("任职起"), null=True)
    valid_to = models.DateField(_("任职止"), null=True)
    changed_at = models.DateTimeField(db_default=Now())

    objects = VillageCadreQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "name", "id"], name="village_cadre_village"),
            models.Index(fields=["number_hash"], condition=Q(number_hash__isnull=False), name="village_cadre_number"),
            models.Index(fields=["phone_hash"], condition=Q(phone_hash__isnull=False), name="village_cadre_phone"),
            models.Index(
                fields=["account_hash"], condition=Q(account_hash__isnull=False), name="village_cadre_account"
            ),
        ]
        constraints = [
            models.CheckConstraint(name="village_cadre_named", condition=~Q(name="")),
            models.CheckConstraint(
                name="village_cadre_term",
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
            ),
            models.UniqueConstraint(
                fields=["village", "number_hash", "post"],
                condition=Q(number_hash__isnull=False, valid_to=None),
                name="village_cadre_once_in_office",
            ),
            *(
                models.CheckConstraint(
                    name=f"village_cadre_{name}_and_hash",
                    condition=Q(**{f"{name}_cipher": None, f"{name}_hash": None})
                    | Q(**{f"{name}_cipher__isnull": False, f"{name}_hash__isnull": False}),
                )
                for name in ("number", "phone", "account")
            ),
        ]

    def __str__(self) -> str:
        return mask_name(self.name)

    @property
    def masked_number(self) -> str:
        return mask_id_number(decrypt(self.number_cipher, field="village_cadre.number", owner=self.pk))

    @property
    def masked_phone(self) -> str:
        return mask_phone(decrypt(self.phone_cipher, field="village_cadre.phone", owner=self.pk))

    @property
    def masked_account(self) -> str:
        return mask_account(decrypt(self.account_cipher, field="village_cadre.account", owner=self.pk))


class CadreRelativeQuerySet(ScopedQuerySet):
    area_field = "cadre__village_id"
    read_capability = "manage_village_cadres"


@keep_history
class CadreRelative(models.Model):
    """A relative a village cadre declared. Without a number only the name is known, which identifies nobody."""

    RELATIONS = ("配偶", "子女", "子女配偶", "父母", "岳父母或公婆", "兄弟姐妹", "兄弟姐妹配偶", "孙子女", "其他亲属")

    cadre = models.ForeignKey(VillageCadre, models.CASCADE, related_name="relatives")
    relation = models.CharField(_("与干部关系"), max_length=12, choices=[(each, each) for each in RELATIONS])
    name = models.CharField(_("姓名"), max_length=60)
    number_cipher = models.BinaryField(null=True)
    number_hash = models.BinaryField(null=True, max_length=32)

    objects = CadreRelativeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["number_hash"], condition=Q(number_hash__isnull=False), name="cadre_relative_number")
        ]
        constraints = [
            models.CheckConstraint(name="cadre_relative_named", condition=~Q(name="")),
            models.UniqueConstraint(
                fields=["cadre", "number_hash"],
                condition=Q(number_hash__isnull=False),
                name="cadre_relative_number_once",
            ),
            models.CheckConstraint(
                name="cadre_relative_number_and_hash",
                condition=Q(number_cipher=None, number_hash=None)
                | Q(number_cipher__isnull=False, number_hash__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return mask_name(self.name)

    @property
    def masked_number(self) -> str:
        return mask_id_number(decrypt(self.number_cipher, field="cadre_relative.number", owner=self.pk))
