"""A household and its members."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt
from changde.crypto.masking import mask_account, mask_name, mask_phone
from changde.divisions.models import Division
from households.models.history import keep_history
from households.models.person import Person


class HouseholdStatus(models.TextChoices):
    """Written by services.status alone (domain: procedure)."""

    UNREGISTERED = "unregistered", _("未建档")
    PROPOSED = "proposed", _("拟纳入")
    REGISTERED = "registered", _("建档立卡")
    EXITED = "exited", _("已脱贫")
    MONITORED = "monitored", _("监测对象")
    RETURNED = "returned", _("返贫")
    CLOSED = "closed", _("已销户")


class HouseholdQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "pk"
    read_capability = "read_cards"

    def open(self):
        return self.exclude(status=HouseholdStatus.CLOSED)


@keep_history
class Household(models.Model):
    """The card: people who live together and share expenses. `version` rises with every write of any part of it.

    head_name, its search keys and `persons` repeat the open memberships, so that a list reads one table.
    """

    number = models.CharField(_("户编号"), max_length=40, null=True, blank=True)
    client_key = models.UUIDField(null=True, unique=True, help_text="made by the phone that entered the card")
    village = models.ForeignKey(Division, models.PROTECT, verbose_name=_("行政村"))
    group = models.CharField(_("村民小组"), max_length=40, blank=True)
    address = models.CharField(_("家庭住址"), max_length=200, blank=True)
    head_name = models.CharField(_("户主姓名"), max_length=60, blank=True)
    head_pinyin = models.CharField(max_length=200, blank=True)
    head_initials = models.CharField(max_length=60, blank=True)
    persons = models.PositiveSmallIntegerField(_("人口"), default=0)
    phone_cipher = models.BinaryField(null=True)
    phone_hash = models.BinaryField(null=True, max_length=32)
    bank = models.CharField(_("开户银行"), max_length=100, blank=True)
    bank_account_cipher = models.BinaryField(null=True)
    bank_account_hash = models.BinaryField(null=True, max_length=32)
    helper_name = models.CharField(_("帮扶责任人"), max_length=60, blank=True)
    helper_phone_cipher = models.BinaryField(null=True)
    status = models.CharField(_("状态"), max_length=12, choices=HouseholdStatus, default=HouseholdStatus.UNREGISTERED)
    monitored_kind = models.CharField(max_length=20, blank=True)
    status_since = models.DateField(null=True)
    split_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now())

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "head_pinyin", "id"]),
            models.Index(fields=["village", "status", "id"]),
            models.Index(fields=["village", "-changed_at", "id"]),
            models.Index(
                fields=["head_name", "id"], opclasses=["varchar_pattern_ops", "int8_ops"], name="household_head_name"
            ),
            models.Index(fields=["phone_hash"], condition=Q(phone_hash__isnull=False), name="household_phone_hash"),
            models.Index(
                fields=["bank_account_hash"],
                condition=Q(bank_account_hash__isnull=False),
                name="household_account_hash",
            ),
            # Orders of the list. "Changed first" of a county has an index of its own: walking the city's changes until
            # fifty of one county turn up is slow on the day after another county's import.
            models.Index(fields=["-changed_at", "-id"], name="household_changed"),
            models.Index(
                F("village") / 1_000_000, F("changed_at").desc(), F("id").desc(), name="household_county_changed"
            ),
            models.Index(
                fields=["village", "number", "id"], condition=Q(number__isnull=False), name="household_village_number"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["number"], condition=Q(number__isnull=False), name="household_number_once"),
            models.CheckConstraint(name="household_number_not_empty", condition=~Q(number="")),
            models.CheckConstraint(name="household_status", condition=Q(status__in=HouseholdStatus.values)),
            models.CheckConstraint(
                name="household_kind_when_monitored", condition=Q(status="monitored") ^ Q(monitored_kind="")
            ),
            models.CheckConstraint(name="household_not_merged_into_itself", condition=~Q(merged_into=F("id"))),
        ]

    def __str__(self) -> str:
        return f"{self.masked_head} ({self.number or self.pk})"

    @property
    def masked_head(self) -> str:
        return mask_name(self.head_name)

    @property
    def phone(self) -> str | None:
        return decrypt(self.phone_cipher, field="household.phone", owner=self.pk)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)

    @property
    def bank_account(self) -> str | None:
        return decrypt(self.bank_account_cipher, field="household.bank_account", owner=self.pk)

    @property
    def masked_bank_account(self) -> str:
        return mask_account(self.bank_account)

    @property
    def helper_phone(self) -> str | None:
        return decrypt(self.helper_phone_cipher, field="household.helper_phone", owner=self.pk)

    @property
    def masked_helper_phone(self) -> str:
        return mask_phone(self.helper_phone)


class MembershipQuerySet(ScopedQuerySet):
    area_field = "household__village_id"
    household_field = "household_id"

    def open(self):
        return self.filter(until=None)


@keep_history
class Membership(models.Model):
    """A person's membership of a household, from-to; one open membership a person, one open head a household."""

    HEAD = "户主"

    household = models.ForeignKey(
        Household, models.PROTECT, related_name="memberships", db_index=False
    )  # leads a longer index
    person = models.ForeignKey(Person, models.PROTECT, related_name="memberships")
    relation = models.CharField(_("与户主关系"), max_length=12)
    position = models.PositiveSmallIntegerField(default=0, help_text="order on the card")
    since = models.DateField(null=True)
    until = models.DateField(null=True)
    end_reason = models.CharField(max_length=20, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["household", "position", "id"])]
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(until=None), name="membership_open_once"),
            models.UniqueConstraint(
                fields=["household"], condition=Q(until=None, relation="户主"), name="membership_one_open_head"
            ),
            models.CheckConstraint(
                name="membership_period", condition=Q(until=None) | Q(since=None) | Q(until__gte=F("since"))
            ),
        ]
