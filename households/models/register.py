"""Department registers as they were brought: versions, their entries, what was refused, who may bring which."""

import json

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet, between, ranges_of
from changde.accounts.models import Post
from changde.accounts.roles import Role
from changde.crypto.cipher import decrypt, decrypt_bytes
from changde.crypto.masking import mask_id_number
from changde.divisions.models import Division
from households.register_messages import register_row_message


class RegisterKind(models.TextChoices):
    VEHICLE = "vehicle", _("车辆登记")
    REAL_ESTATE = "real_estate", _("不动产登记")
    PUBLIC_PAYROLL = "public_payroll", _("财政供养人员")
    COMPANY = "company", _("市场主体登记")
    DEATH = "death", _("死亡人口")
    MEDICAL = "medical", _("医保结算")
    SCHOOL = "school", _("学籍")
    DISABILITY = "disability", _("残疾登记")
    DIBAO = "dibao", _("低保登记")
    INSURANCE = "insurance", _("社会保险")


class RegisterVersionQuerySet(ScopedQuerySet):
    area_field = "division_id"
    read_capability = "read_registers"

    def visible_to(self, user, capability=None):
        """Those of one's area for county and city offices; a department sees what it brought itself."""
        if not user.is_authenticated or not user.can("bring_registers"):
            return self.none()
        of_area = super().visible_to(user, capability).values("pk")
        return self.filter(Q(pk__in=of_area) | Q(owner=user))

    def in_force(self):
        """Of each register, source and area the version with the latest date (the later brought of two)."""
        taken = RegisterVersion.TAKEN
        of_same = RegisterVersion.objects.filter(
            kind=OuterRef("kind"), source=OuterRef("source"), division=OuterRef("division"), state__in=taken
        )
        newer = of_same.filter(Q(as_of__gt=OuterRef("as_of")) | Q(as_of=OuterRef("as_of"), pk__gt=OuterRef("pk")))
        return self.filter(~Exists(newer), state__in=taken, forgotten_at=None)


class RegisterVersion(models.Model):
    """One table of a register: what it is, who keeps it, of which day, for which area, and what became of it.

    Its entries are written while it is checked and count only once somebody took it (`TAKEN`); withdrawing it is a
    change of state. rows = accepted + refused. `foreseen` is how many hits each rule had when it was checked.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("正在检查")
        CHECKED = "checked", _("待确认启用")
        RUNNING = "running", _("正在比对")
        DONE = "done", _("已启用")
        FAILED = "failed", _("未能读取")
        CANCELLED = "cancelled", _("已取消")
        WITHDRAWN = "withdrawn", _("已撤回")

    OPEN = (State.WAITING, State.RUNNING)
    TAKEN = (State.RUNNING, State.DONE)

    kind = models.CharField(_("登记种类"), max_length=20, choices=RegisterKind)
    source = models.CharField(_("来源单位"), max_length=40)
    division = models.ForeignKey(Division, models.PROTECT, verbose_name=_("覆盖地区"))
    as_of = models.DateField(_("数据日期"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")
    file_name = models.CharField(_("文件名"), max_length=200)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    size = models.PositiveBigIntegerField()
    file_cipher = models.BinaryField(null=True, help_text="the file, encrypted, while refused rows can be fetched")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    error = models.CharField(max_length=40, blank=True, help_text="why the file was not taken (messages)")
    error_facts = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    matched = models.PositiveIntegerField(default=0, help_text="open members of the area whose number it holds")
    foreseen = models.JSONField(default=dict, help_text="rule -> hits, when it was checked")
    opened = models.PositiveIntegerField(default=0, help_text="leads its comparison opened")
    unknown_columns = models.JSONField(default=list)
    brought_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    compared_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    forgotten_at = models.DateTimeField(null=True, help_text="when its entries were deleted by policy")

    objects = RegisterVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["division", "-id"], name="register_version_area"),
            models.Index(fields=["owner", "-id"], name="register_version_owner"),
            models.Index(fields=["kind", "source", "division", "-as_of", "-id"], name="register_version_newest"),
        ]
        constraints = [
            models.CheckConstraint(name="register_version_kind", condition=Q(kind__in=RegisterKind.values)),
            models.CheckConstraint(
                name="register_version_source", condition=~Q(source="") & ~Q(source__regex=r"[0-9]{7}")
            ),
            models.CheckConstraint(
                name="register_rows_are_accepted_refused",
                condition=Q(rows=F("accepted") + F("refused")) | Q(state__in=("waiting", "failed", "cancelled")),
            ),
            models.CheckConstraint(
                name="register_confirmed_when_taken",
                condition=~Q(state__in=("running", "done")) | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="register_withdrawn_when",
                condition=Q(state="withdrawn", withdrawn_at__isnull=False)
                | ~Q(state="withdrawn") & Q(withdrawn_at=None),
            ),
            models.UniqueConstraint(
                fields=["kind", "source", "division", "digest"],
                condition=Q(state__in=("waiting", "checked", "running", "done")),
                name="register_file_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.as_of}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_taken(self) -> bool:
        return self.state in self.TAKEN

    @property
    def content(self) -> bytes | None:
        """The file as it came; None once it has expired."""
        if self.file_cipher is None:
            return None
        return decrypt_bytes(self.file_cipher, field="register.file", owner=self.pk)


class OfVersionQuerySet(ScopedQuerySet):
    area_field = "version__division_id"
    read_capability = "read_registers"


class RegisterEntry(models.Model):
    """A row of a register. The number is a keyed hash (the same as a person's) and a ciphertext bound to this id.

    `facts` are what rules read (types, dates, amounts); what names a thing or a place (plate, address, company) is in
    `details_cipher`. Rows are never changed, only forgotten; the row history does not keep what is forgotten.
    """

    version = models.ForeignKey(RegisterVersion, models.CASCADE, related_name="entries", db_index=False)
    row = models.PositiveIntegerField(_("行"), help_text="in the file")
    number_hash = models.BinaryField(max_length=32)
    number_cipher = models.BinaryField()
    facts = models.JSONField(default=dict)
    details_cipher = models.BinaryField(null=True)

    objects = OfVersionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["version", "number_hash"], name="register_entry_number"),
            models.Index(fields=["version", "id"], name="register_entry_page"),
        ]
        triggers = [pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.version_id}/{self.row}"

    @property
    def masked_number(self) -> str:
        return mask_id_number(decrypt(self.number_cipher, field="register_entry.number", owner=self.pk))

    @property
    def details(self) -> dict[str, str]:
        """What names a thing or a place, by column; whoever shows it logs the read."""
        text = decrypt(self.details_cipher, field="register_entry.details", owner=self.pk)
        return json.loads(text) if text else {}


class RegisterProblemQuerySet(ScopedQuerySet):
    area_field = "version__division_id"
    read_capability = "read_registers"

    def visible_to(self, user, capability=None):
        return self.filter(version__in=RegisterVersion.objects.visible_to(user, capability))


class RegisterProblem(models.Model):
    """Why a row was refused. The value itself is not kept."""

    version = models.ForeignKey(RegisterVersion, models.CASCADE, related_name="problems")
    row = models.PositiveIntegerField(_("行"))
    column = models.CharField(_("列"), max_length=60, blank=True)
    code = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)

    objects = RegisterProblemQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    @property
    def reason(self) -> str:
        return register_row_message(self.code, self.parameters)


class RegisterKeeperQuerySet(ScopedQuerySet):
    read_capability = "read_registers"

    def visible_to(self, user, capability=None):
        """Those of departments of one's area."""
        places = Q(pk__in=())
        for first, last in ranges_of(user, capability or self.read_capability):
            places |= between("division_id", first, last)
        posts = Post.objects.on(timezone.localdate()).filter(places, role=Role.DEPARTMENT)
        return self.filter(user__in=posts.values("user"))


class RegisterKeeper(models.Model):
    """A department's person and the registers an office has asked them to bring."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="register_kinds")
    kind = models.CharField(max_length=20, choices=RegisterKind)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RegisterKeeperQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="register_keeper_once"),
            models.CheckConstraint(name="register_keeper_kind", condition=Q(kind__in=RegisterKind.values)),
        ]
