"""Import of workbooks: the batch, its households one by one, what was refused, what waits."""

import json
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt, decrypt_bytes
from households.domain.card_update import Policy
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
    """One workbook brought in. Counts are households: read = accepted + refused + waiting + left out."""

    class State(models.TextChoices):
        WAITING = "waiting", _("正在检查")
        CHECKED = "checked", _("待确认入库")
        RUNNING = "running", _("正在入库")
        DONE = "done", _("已入库")
        FAILED = "failed", _("未能读取")
        CANCELLED = "cancelled", _("已取消")
        UNDOING = "undoing", _("正在撤销")
        UNDONE = "undone", _("已撤销")

    class PolicyChoice(models.TextChoices):
        UPDATE = Policy.UPDATE.value, _("以工作簿为准")
        KEEP = Policy.KEEP.value, _("以系统为准，只补空白")
        REJECT = Policy.REJECT.value, _("只收新户")

    OPEN = (State.WAITING, State.RUNNING, State.UNDOING)

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
    policy = models.CharField(_("已有的户"), max_length=6, choices=PolicyChoice, default=PolicyChoice.UPDATE)
    contents = models.JSONField(default=dict, help_text="what the file is at a glance: kind, sheets, rows, headers")
    households = models.PositiveIntegerField(default=0)
    members = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0, help_text="households the reviewer kept out")
    undone = models.PositiveIntegerField(default=0, help_text="households taken back")
    unknown_columns = models.JSONField(default=list)
    brought_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True, help_text="when somebody had it written")
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["owner", "-id"]), models.Index(fields=["area", "-id"])]
        constraints = [
            models.CheckConstraint(
                name="import_read_is_accepted_refused_waiting",
                condition=~Q(state="done") | Q(households=F("accepted") + F("refused") + F("waiting") + F("left_out")),
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
    def applies(self) -> Policy:
        return Policy(self.policy)

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
    position = models.PositiveIntegerField(null=True, help_text="the household's place in the workbook")
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
        indexes = [models.Index(fields=["batch", "position"])]

    @property
    def reason(self) -> str:
        return message(self.check_id, self.parameters)


class StagedHousehold(models.Model):
    """A household of a workbook: what it would become, a person's choice, and once written what undoing needs to know.

    Names stand here as on the card, numbers only masked, what changes encrypted; the row goes with the workbook. After
    the write `card` is the household, `version` and `sheet_version` what the batch left, `written_at` the time of its
    transaction (the row history carries the same; the write ended before `written_until`) and `rows_before` the ids of
    the rows the card had before.
    """

    class Kind(models.TextChoices):
        NEW = "new", _("新增")
        CHANGED = "changed", _("有变化")
        DUPLICATE = "duplicate", _("可能重复")
        SAME = "same", _("无变化")
        REFUSED = "refused", _("退回")
        WAITING = "waiting", _("待核实")

    GOES_IN = (Kind.NEW, Kind.CHANGED, Kind.DUPLICATE, Kind.SAME)

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="staged", db_index=False)
    position = models.PositiveIntegerField(help_text="the household's place in the workbook, from 0")
    household = models.CharField(_("户编号"), max_length=40, blank=True)
    head_name = models.CharField(_("户主姓名"), max_length=60, blank=True)
    village_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=9, choices=Kind)
    excluded = models.BooleanField(default=False, help_text="kept out by the reviewer")
    fields = ArrayField(models.CharField(max_length=60), default=list, help_text="what changes: entity.attribute")
    facts_cipher = models.BinaryField(null=True)
    card = models.ForeignKey(Household, models.SET_NULL, null=True, related_name="+")
    twin = models.ForeignKey(
        Household, models.SET_NULL, null=True, related_name="+", help_text="the card it may repeat, where visible"
    )
    twin_position = models.PositiveIntegerField(
        null=True, help_text="the earlier household of the same workbook it may repeat"
    )
    year = models.SmallIntegerField(null=True)
    version = models.PositiveIntegerField(null=True)
    sheet_version = models.PositiveIntegerField(null=True)
    rows_before = models.JSONField(null=True)
    written_at = models.DateTimeField(null=True)
    written_until = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    objects = OfBatchQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["batch", "kind", "position"])]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="staged_once")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.position}: {self.kind}"

    @property
    def facts(self) -> dict[str, Any]:
        """members, changes, joined, left: see services.staging."""
        text = decrypt(self.facts_cipher, field="staged.facts", owner=self.pk)
        return json.loads(text) if text else {}


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
