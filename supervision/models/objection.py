"""An objection against a posted list. Who raised it is sealed from the village."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet, between
from changde.crypto.cipher import decrypt
from changde.divisions.codes import code_range
from changde.divisions.models import Division
from supervision.models.publicity import ListEntry, PublicityList


class ObjectionQuerySet(ScopedQuerySet):
    """Seen from the owner upwards: an objection to a township's own list is read by the county, not the township."""

    area_field = "owner_id"
    read_capability = "read_objections"  # held by townships, counties and inspectors, never by a village

    def of_villages_in(self, code: int) -> "ObjectionQuerySet":
        return self.filter(between("village_id", *code_range(code)))

    def open(self) -> "ObjectionQuerySet":
        return self.filter(decided_at=None)

    def upheld(self) -> "ObjectionQuerySet":
        return self.filter(decision=Objection.Decision.UPHELD)


class Objection(models.Model):
    """What somebody raised, who has to decide it by when, the visit, the decision and the answer.

    Text and contact are encrypted, bound to this id; the tracking code is kept as a keyed hash alone. `owner` is the
    division that decides: the township for a first list, the county for a second one, which the township posted.
    """

    class About(models.TextChoices):
        LISTED = "listed", _("名单上的某一户不该列入")
        LEFT_OUT = "left_out", _("有一户应当列入却没有列入")
        LIST = "list", _("对名单的其他意见")

    class Decision(models.TextChoices):
        UPHELD = "upheld", _("异议成立")
        REJECTED = "rejected", _("异议不成立")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    publicity_list = models.ForeignKey(PublicityList, models.PROTECT, related_name="objections")
    village = models.ForeignKey(Division, models.PROTECT, related_name="+")
    owner = models.ForeignKey(Division, models.PROTECT, related_name="+")
    about = models.CharField(max_length=8, choices=About)
    entry = models.ForeignKey(ListEntry, models.PROTECT, null=True, related_name="objections")
    text_cipher = models.BinaryField()
    contact_cipher = models.BinaryField(null=True)
    tracking_hash = models.BinaryField(max_length=32, unique=True)
    received_at = models.DateTimeField()
    due = models.DateField()
    visited_on = models.DateField(_("核实日期"), null=True)
    visit_note = models.TextField(_("核实情况"), blank=True)
    visit_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decision = models.CharField(_("处理决定"), max_length=8, choices=Decision, blank=True)
    answer = models.TextField(_("答复"), blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "due", "id"], condition=Q(decided_at=None), name="objection_open"),
            models.Index(fields=["village", "received_at", "id"], name="objection_received"),
        ]
        constraints = [
            models.CheckConstraint(
                name="objection_names_entry_when_listed",
                condition=Q(about="listed", entry__isnull=False) | (~Q(about="listed") & Q(entry=None)),
            ),
            models.CheckConstraint(
                name="objection_visit_who_when_what",
                condition=Q(visited_on=None, visit_by=None, visit_note="")
                | (Q(visited_on__isnull=False, visit_by__isnull=False) & ~Q(visit_note="")),
            ),
            models.CheckConstraint(
                name="objection_decided_who_when_what",
                condition=Q(decided_at=None, decided_by=None, decision="", answer="")
                | (
                    Q(decided_at__isnull=False, decided_by__isnull=False, visited_on__isnull=False)
                    & Q(decision__in=["upheld", "rejected"])
                    & ~Q(answer="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def text(self) -> str:
        """The open text; whoever shows it logs the read."""
        return decrypt(self.text_cipher, field="objection.text", owner=str(self.pk)) or ""

    @property
    def contact(self) -> str | None:
        """The open contact; whoever shows it logs the read."""
        return decrypt(self.contact_cipher, field="objection.contact", owner=str(self.pk))

    @property
    def has_contact(self) -> bool:
        return self.contact_cipher is not None

    @property
    def is_open(self) -> bool:
        return self.decided_at is None
