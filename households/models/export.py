"""Files of cards that leave the system: who asked, why, what was in them, until when."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt_bytes


class CardExportQuerySet(ScopedQuerySet):
    area_field = "area"
    read_capability = "export_cards"

    def visible_to(self, user, capability=None):
        """One's own and nobody else's, and only while one may still export cards of that area."""
        return super().visible_to(user, capability).filter(owner=user if user.is_authenticated else None)


class CardExport(models.Model):
    """One export of a filtered list. The file is kept encrypted until `expires_at`, the row for ever.

    `query` is the list's query (filters, order, search as the address holds it: encrypted for the owner).
    """

    class Format(models.TextChoices):
        XLSX = "xlsx", _("Excel 工作簿（.xlsx）")
        CSV = "csv", _("CSV 文本（.csv）")
        CARDS = "card", _("全国统一格式（户信息、人信息，改好后可再导入）")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    area = models.BigIntegerField(help_text="the division of the list")
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")
    format = models.CharField(_("格式"), max_length=4, choices=Format, default=Format.XLSX)
    reason = models.CharField(_("用途"), max_length=200)
    query = models.TextField(blank=True)
    columns = ArrayField(models.CharField(max_length=30))
    rows = models.PositiveIntegerField(_("户数"), null=True)
    file_cipher = models.BinaryField(null=True)
    size = models.PositiveIntegerField(null=True)
    ordered_at = models.DateTimeField(db_default=Now(), editable=False)
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    fetched = models.PositiveIntegerField(_("下载次数"), default=0)

    objects = CardExportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["owner", "-id"]),
            models.Index(fields=["expires_at"], condition=Q(file_cipher__isnull=False), name="card_export_kept"),
        ]
        constraints = [
            models.CheckConstraint(name="card_export_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="card_export_made_with_expiry",
                condition=Q(made_at=None, expires_at=None, file_cipher=None)
                | Q(made_at__isnull=False, expires_at__gt=F("made_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ordered_at:%Y-%m-%d %H:%M} {self.reason}"

    @property
    def state(self) -> str:
        """waiting, running, done, failed, cancelled (the job's), or expired once the file is gone."""
        if self.made_at is not None:
            return "done" if self.expires_at and self.expires_at > timezone.now() else "expired"
        return self.job.state if self.job else "failed"

    @property
    def ending(self) -> str:
        """How the file's name ends."""
        return "csv" if self.format == self.Format.CSV else "xlsx"

    @property
    def content(self) -> bytes | None:
        """The file; None before it is made and after it has expired."""
        if self.file_cipher is None or self.state != "done":
            return None
        return decrypt_bytes(self.file_cipher, field="export.file", owner=self.pk)
