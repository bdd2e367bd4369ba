"""Something an office must look into; never a decision."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models.household import Household
from households.models.person import Person


class FindingQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = None
    read_capability = "read_results"

    def open(self):
        return self.filter(decided_at=None)


class Finding(models.Model):
    """A lead on a card: kind, facts (codes and figures, no numbers of people), and what an office decided."""

    class Kind(models.TextChoices):
        DUPLICATE_NUMBER = "duplicate_number", _("同一证件号码出现在两张户卡")
        YELLOW_CHECK = "yellow_check", _("数据疑点")
        STATUS_DIFFERS = "status_differs", _("表内属性与系统状态不一致")

    household = models.ForeignKey(Household, models.CASCADE, related_name="findings")
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    village = models.ForeignKey(Division, models.PROTECT)
    kind = models.CharField(max_length=30, choices=Kind)
    code = models.CharField(max_length=40, blank=True, help_text="the check that fired")
    blocks = models.BooleanField(default=False, help_text="sets the flag verify: no posting until decided")
    facts = models.JSONField(default=dict)
    found_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "kind", "id"], condition=Q(decided_at=None), name="finding_open"),
            models.Index(fields=["household"], condition=Q(decided_at=None, blocks=True), name="finding_blocks"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["household", "kind", "code", "person"],
                condition=Q(decided_at=None),
                nulls_distinct=False,
                name="finding_open_once",
            ),
            models.CheckConstraint(
                name="finding_decided_who_when",
                condition=Q(decided_at=None, decided_by=None, decision="")
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision="")),
            ),
        ]
