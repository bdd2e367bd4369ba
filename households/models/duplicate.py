"""The duplicates desk: pairs that may be one person, and pairs that are not."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from households.models.event import LifeEvent
from households.models.finding import Finding
from households.models.household import Household
from households.models.imports import WaitingHousehold
from households.models.person import Person


class DuplicateCaseQuerySet(ScopedQuerySet):
    area_field = "area"
    read_capability = "decide_duplicates"

    def open(self):
        return self.filter(decided_at=None)


class DuplicateCase(models.Model):
    """Two records that may be the same person, for the lowest office that covers both (`area`, its code).

    The second side is a person on a card, or a card that waits outside the tables (`waiting`), or (for a number typed
    into a form that was refused) nothing but the village where it was typed.
    """

    class Kind(models.TextChoices):
        NUMBER = "number", _("证件号码相同")
        NAME_BIRTH = "name_birth", _("姓名和出生日期相同")
        NEAR_NAME = "near_name", _("同村、同电话、姓名相近")

    class Decision(models.TextChoices):
        MERGED = "merged", _("同一人，已合并")
        HOUSEHOLDS_MERGED = "joined", _("同一户，已并户")
        DISTINCT = "distinct", _("不是同一人")
        ADMITTED = "admitted", _("等待户已入库")
        DROPPED = "dropped", _("等待户不入库")
        RELEASED = "released", _("已释放号码")

    kind = models.CharField(max_length=10, choices=Kind)
    area = models.BigIntegerField(help_text="code of the lowest division that holds both")
    first = models.ForeignKey(Household, models.PROTECT, related_name="+")
    first_person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    second = models.ForeignKey(Household, models.PROTECT, null=True, related_name="+")
    second_person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    waiting = models.ForeignKey(WaitingHousehold, models.CASCADE, null=True, related_name="+")
    finding = models.ForeignKey(Finding, models.CASCADE, null=True, related_name="+")
    typed_in = models.BigIntegerField(null=True, help_text="village where a refused form wanted the number")
    found_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    event = models.OneToOneField(LifeEvent, models.PROTECT, null=True, related_name="duplicate_case")

    objects = DuplicateCaseQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["area", "id"], condition=Q(decided_at=None), name="duplicate_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["first_person", "second_person"],
                condition=Q(decided_at=None, second_person__isnull=False),
                name="duplicate_pair_open_once",
            ),
            models.UniqueConstraint(
                fields=["waiting"], condition=Q(waiting__isnull=False), name="duplicate_waiting_once"
            ),
            models.UniqueConstraint(
                fields=["finding"], condition=Q(finding__isnull=False), name="duplicate_finding_once"
            ),
            models.CheckConstraint(
                name="duplicate_pair_in_order", condition=Q(second_person=None) | Q(first_person__lt=F("second_person"))
            ),
            models.CheckConstraint(
                name="duplicate_decided_who_when",
                condition=Q(decided_at=None, decided_by=None, decision="")
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_person_id} {self.second_person_id or self.waiting_id or ''}"


class DistinctPairQuerySet(ScopedQuerySet):
    def visible_to(self, user, capability=None):
        """Pairs of whom one may see both."""
        persons = Person.objects.visible_to(user, capability)
        return self.filter(first_person__in=persons, second_person__in=persons)


class DistinctPair(models.Model):
    """Two persons of whom an office has said that they are not one: never asked again."""

    first_person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    second_person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    said_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = DistinctPairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first_person", "second_person"], name="distinct_pair_once"),
            models.CheckConstraint(name="distinct_pair_in_order", condition=Q(first_person__lt=F("second_person"))),
        ]

    def __str__(self) -> str:
        return f"{self.first_person_id} is not {self.second_person_id}"
