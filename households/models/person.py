"""A person: identity; the number may be missing, temporary or corrected."""

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt
from changde.crypto.masking import mask_id_number, mask_name, mask_phone
from households.models.history import keep_history


class PersonQuerySet(ScopedQuerySet):
    def visible_to(self, user, capability=None):
        """Persons who are or were on a card one may see."""
        from households.models.household import Household, Membership

        cards = Household.objects.visible_to(user, capability)
        return self.filter(Exists(Membership.objects.filter(person=OuterRef("pk"), household__in=cards)))


@keep_history
class Person(models.Model):
    """Identity of a person. Numbers and phone are encrypted, bound to this id, and found by keyed hash.

    Columns follow 人信息 of the workbook (reference/card_fields.csv, entity person).
    """

    number = models.CharField(_("人编号"), max_length=40, blank=True)
    name = models.CharField(_("姓名"), max_length=60)
    pinyin = models.CharField(max_length=200, blank=True)
    initials = models.CharField(max_length=60, blank=True)
    sex = models.CharField(_("性别"), max_length=1, blank=True)
    birth_date = models.DateField(_("出生日期"), null=True)
    ethnicity = models.CharField(_("民族"), max_length=12, blank=True)
    id_kind = models.CharField(_("证件类型"), max_length=8, blank=True)
    id_number_cipher = models.BinaryField(null=True)
    id_number_hash = models.BinaryField(null=True, max_length=32)
    old_id_number_cipher = models.BinaryField(null=True, help_text="the 15-digit number kept beside its 18-digit form")
    disability_certificate_cipher = models.BinaryField(null=True)
    no_id_reason = models.CharField(_("无证件原因"), max_length=200, blank=True)
    phone_cipher = models.BinaryField(null=True)
    phone_hash = models.BinaryField(null=True, max_length=32)

    objects = PersonQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["birth_date", "name"], name="person_born_named"),
            models.Index(fields=["id_number_hash"], condition=Q(id_number_hash__isnull=False), name="person_id_hash"),
            models.Index(fields=["phone_hash"], condition=Q(phone_hash__isnull=False), name="person_phone_hash"),
        ]
        constraints = [
            models.CheckConstraint(name="person_sex", condition=Q(sex__in=["男", "女", ""])),
            models.CheckConstraint(
                name="person_number_and_hash_together",
                condition=Q(id_number_cipher=None, id_number_hash=None)
                | Q(id_number_cipher__isnull=False, id_number_hash__isnull=False),
            ),
            models.CheckConstraint(
                name="person_phone_and_hash_together",
                condition=Q(phone_cipher=None, phone_hash=None)
                | Q(phone_cipher__isnull=False, phone_hash__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return mask_name(self.name)

    @property
    def id_number(self) -> str | None:
        """The open number; whoever shows it logs the read."""
        return decrypt(self.id_number_cipher, field="person.id_number", owner=self.pk)

    @property
    def old_id_number(self) -> str | None:
        return decrypt(self.old_id_number_cipher, field="person.old_id_number", owner=self.pk)

    @property
    def disability_certificate(self) -> str | None:
        return decrypt(self.disability_certificate_cipher, field="person.disability_certificate", owner=self.pk)

    @property
    def masked_certificate(self) -> str:
        return mask_id_number(self.disability_certificate)

    @property
    def phone(self) -> str | None:
        return decrypt(self.phone_cipher, field="person.phone", owner=self.pk)

    @property
    def masked_id_number(self) -> str:
        return mask_id_number(self.id_number)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)
