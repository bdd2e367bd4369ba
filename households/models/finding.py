"""Something an office must look into; never a decision.

A note of a check waits for the reviewer (open, not returned), goes back to the village with a reason (returned), comes
again with an explanation, and ends accepted by a reviewer or corrected by a change of the card.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models.history import keep_history
from households.models.household import Household
from households.models.person import Person


class FindingQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = None
    read_capability = "read_results"

    def open(self):
        return self.filter(decided_at=None)

    def of_checks(self):
        """Notes of the checks of a card: what the reviewer's desk decides (a number on two cards has its own desk)."""
        return self.filter(kind=Finding.Kind.YELLOW_CHECK)

    def waiting(self):
        """Open, and with the reviewer."""
        return self.open().filter(returned_at=None)

    def returned(self):
        """Open, and back with the village."""
        return self.open().filter(returned_at__isnull=False)


@keep_history
class Finding(models.Model):
    """A lead on a card: kind, facts (codes and figures, no numbers of people), and what an office decided.

    `mark` is a keyed hash of the values the check looked at: a note a reviewer accepted comes again only when they
    change. `severity` is red where a stored card breaks a red check: it can be corrected, never accepted.
    """

    class Kind(models.TextChoices):
        DUPLICATE_NUMBER = "duplicate_number", _("同一证件号码出现在两张户卡")
        YELLOW_CHECK = "yellow_check", _("数据疑点")
        STATUS_DIFFERS = "status_differs", _("表内属性与系统状态不一致")

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("予以认可")
        CORRECTED = "corrected", _("已更正")

    household = models.ForeignKey(Household, models.CASCADE, related_name="findings")
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    village = models.ForeignKey(Division, models.PROTECT)
    kind = models.CharField(max_length=30, choices=Kind)
    code = models.CharField(max_length=40, blank=True, help_text="the check that fired")
    severity = models.CharField(max_length=6, default="yellow")
    mark = models.BinaryField(null=True, max_length=32)
    blocks = models.BooleanField(default=False, help_text="sets the flag verify: no posting until decided")
    facts = models.JSONField(default=dict)
    found_at = models.DateTimeField(db_default=Now(), editable=False)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="who wrote the card; null: night",
    )
    explanation = models.CharField(_("说明"), max_length=300, blank=True)
    explained_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    explained_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    returned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    return_reason = models.CharField(_("退回原因"), max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "kind", "id"], condition=Q(decided_at=None), name="finding_open"),
            models.Index(fields=["decided_by", "-decided_at"], condition=Q(decision="accepted"), name="finding_by"),
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
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision=""))
                | Q(decided_at__isnull=False, decision="corrected"),  # by the night: nobody's decision
            ),
            models.CheckConstraint(
                name="finding_explained_who_when",
                condition=Q(explanation="", explained_at=None, explained_by=None)
                | (~Q(explanation="") & Q(explained_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="finding_returned_who_when",
                condition=Q(returned_at=None, returned_by=None, return_reason="")
                | (Q(returned_at__isnull=False, returned_by__isnull=False) & ~Q(return_reason="")),
            ),
            models.CheckConstraint(name="finding_red_not_accepted", condition=~Q(severity="red", decision="accepted")),
            models.CheckConstraint(name="finding_severity", condition=Q(severity__in=["red", "yellow"])),
            models.CheckConstraint(
                name="finding_no_number_in_words",
                condition=~Q(explanation__regex=r"[0-9]{15}")
                & ~Q(return_reason__regex=r"[0-9]{15}")
                & ~Q(reason__regex=r"[0-9]{15}"),
            ),
        ]

    @property
    def state(self) -> str:
        """For its badge."""
        if self.decision:
            return self.decision
        return "returned" if self.is_returned else "red" if self.severity == "red" else "waiting"

    @property
    def is_returned(self) -> bool:
        return self.returned_at is not None and self.decided_at is None
