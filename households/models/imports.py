"""Import of workbooks: the batch, what was refused, what waits."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt, decrypt_bytes
from households.messages import message
from households.models.household import Household


class ImportBatchQuerySet(ScopedQuerySet):
    area_field = "area"
    read_capability = "import_cards"

    def visible_to(self, user, capability=None):
        """One's own batches, and those of the offices above: a batch belongs to the area of who brought it."""
        if not user.is_authenticated or not user.can(capability or self.read_capability):
            return self.none()
        return self.filter(Q(pk__in=super().visible_to(user, capability).values("pk")) | Q(owner=user))


class ImportBatch(models.Model):
    """One workbook brought in. Counts are households: read = accepted + refused + waiting."""

    class State(models.TextChoices):
        WAITING = "waiting", _("正在检查")
        CHECKED = "checked", _("待确认入库")
        RUNNING = "running", _("正在入库")
        DONE = "done", _("已入库")
        FAILED = "failed", _("未能读取")
        CANCELLED = "cancelled", _("已取消")

    OPEN = (State.WAITING, State.RUNNING)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    area = models.BigIntegerField(null=True)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")
    file_name = models.CharField(_("文件名"), max_length=200)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    size = models.PositiveBigIntegerField()
    file_cipher = models.BinaryField(null=True, help_text="the workbook, encrypted, until its returned rows expire")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    error = models.CharField(max_length=40, blank=True, help_text="why the workbook was not taken (messages)")
    error_facts = models.JSONField(default=dict)
    position = models.PositiveIntegerField(default=0, help_text="households done; a broken-off import goes on here")
    initial = models.BooleanField(default=False, help_text="the one-off first load sets the status of households")
    households = models.PositiveIntegerField(default=0)
    members = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    unknown_columns = models.JSONField(default=list)
    brought_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["owner", "-id"]), models.Index(fields=["area", "-id"])]
        constraints = [
            models.CheckConstraint(
                name="import_read_is_accepted_refused_waiting",
                condition=~Q(state="done") | Q(households=F("accepted") + F("refused") + F("waiting")),
            ),
            models.CheckConstraint(
                name="import_accepted_is_created_changed_same",
                condition=~Q(state="done") | Q(accepted=F("created") + F("changed") + F("same")),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def content(self) -> bytes | None:
        """The workbook as it came; None once its returned rows have expired."""
        if self.file_cipher is None:
            return None
        return decrypt_bytes(self.file_cipher, field="import.file", owner=self.pk)


class OfBatchQuerySet(ScopedQuerySet):
    area_field = "batch__area"
    read_capability = "import_cards"

    def visible_to(self, user, capability=None):
        return self.filter(batch__in=ImportBatch.objects.visible_to(user, capability))


class ImportProblem(models.Model):
    """Why a household was refused or waits: where it stands and which check says so. The value itself is not kept."""

    class Outcome(models.TextChoices):
        REFUSED = "refused", _("退回")
        WAITING = "waiting", _("待核实")

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="problems")
    household = models.CharField(_("户编号"), max_length=40, blank=True)
    sheet = models.CharField(_("工作表"), max_length=40)
    row = models.PositiveIntegerField(_("行"), null=True)
    column = models.CharField(_("列"), max_length=60, blank=True)
    outcome = models.CharField(max_length=7, choices=Outcome, default=Outcome.REFUSED)
    check_id = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)

    objects = OfBatchQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    @property
    def reason(self) -> str:
        return message(self.check_id, self.parameters)


class WaitingHousehold(models.Model):
    """A household that waits for the duplicates desk; its card is kept encrypted, nothing of it is in the tables."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, null=True, related_name="waiting_households")
    household = models.CharField(_("户编号"), max_length=40, blank=True)
    village_id = models.BigIntegerField()
    sheet = models.CharField(_("工作表"), max_length=40, blank=True)
    row = models.PositiveIntegerField(_("行"), null=True)
    reason = models.CharField(max_length=40)
    card_cipher = models.BinaryField(null=True)
    number_hash = models.BinaryField(null=True, max_length=32)
    first = models.ForeignKey(Household, models.SET_NULL, null=True, related_name="+", help_text="who has the number")
    since = models.DateTimeField(db_default=Now(), editable=False)
    settled_at = models.DateTimeField(null=True)

    objects = OfBatchQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["household", "reason", "number_hash"],
                condition=Q(settled_at=None) & ~Q(household=""),
                nulls_distinct=False,
                name="waiting_once",
            )
        ]

    @property
    def card_text(self) -> str | None:
        """The waiting card as JSON; only the duplicates desk opens it."""
        return decrypt(self.card_cipher, field="waiting.card", owner=self.pk)
