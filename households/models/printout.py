"""Printouts: files of cards made for printing, kept a short time for who asked."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt_bytes

FILE = "printout.file"


class PrintoutQuerySet(ScopedQuerySet):
    area_field = "area"

    def visible_to(self, user, capability=None):
        """One's own, as long as one may still read the cards of the place."""
        return super().visible_to(user, capability).filter(owner=user) if user.is_authenticated else self.none()

    def without_file(self) -> "PrintoutQuerySet":
        return self.defer("file_cipher")


class Printout(models.Model):
    """The cards of an area as one file: who asked, why, for which year, until when it can be fetched."""

    class Kind(models.TextChoices):
        CARDS = "cards", _("全部户卡")
        REGISTERED = "registered", _("建档立卡户的户卡")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    area = models.BigIntegerField(help_text="12-digit code")
    kind = models.CharField(_("范围"), max_length=10, choices=Kind)
    year = models.SmallIntegerField(_("年度"))
    reason = models.CharField(_("用途"), max_length=200)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")
    cards = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    file_name = models.CharField(max_length=200, blank=True)
    file_cipher = models.BinaryField(null=True, help_text="the file, encrypted, until it expires")
    size = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True)
    downloaded_at = models.DateTimeField(null=True)

    objects = PrintoutQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["owner", "-id"])]
        constraints = [
            models.CheckConstraint(name="printout_kind", condition=Q(kind__in=["cards", "registered"])),
            models.CheckConstraint(name="printout_has_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="printout_file_expires", condition=Q(file_cipher=None) | Q(expires_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area}/{self.year} #{self.pk}"

    @property
    def is_ready(self) -> bool:
        """Made, and not yet expired."""
        return self.expires_at is not None and self.expires_at > timezone.now()

    @property
    def content(self) -> bytes | None:
        """The file; None once it has expired."""
        if self.file_cipher is None or not self.is_ready:
            return None
        return decrypt_bytes(self.file_cipher, field=FILE, owner=self.pk)
