"""Evidence: photos that show what a card says of one year."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.crypto.cipher import decrypt_bytes
from households.models.history import keep_history
from households.models.household import Household

PHOTO, THUMBNAIL = "evidence.photo", "evidence.thumbnail"  # what a ciphertext is bound to, with the evidence's id


class EvidenceQuerySet(ScopedQuerySet):
    area_field = "household__village_id"
    household_field = "household_id"

    def kept(self) -> "EvidenceQuerySet":
        return self.filter(removed_at=None)


@keep_history
class Evidence(models.Model):
    """One photo of a household and an accounting year; what it shows, who brought it, whether it still counts.

    Nothing is deleted: a photo that was taken off keeps its row with who, when and why, and can be put back.
    """

    class Kind(models.TextChoices):
        HOUSE = "house", _("住房")
        WATER = "water", _("饮水")
        TOILET = "toilet", _("厕所")
        ILLNESS = "illness", _("病历、诊断证明")
        DISABILITY = "disability", _("残疾证")
        INCOME = "income", _("收入凭证")
        DISASTER = "disaster", _("灾害")
        SIGNATURE = "signature", _("签字页")
        OTHER = "other", _("其他")

    household = models.ForeignKey(Household, models.PROTECT, related_name="evidence")
    year = models.SmallIntegerField(_("年度"))
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    caption = models.CharField(_("说明"), max_length=200, blank=True)
    client_key = models.UUIDField(null=True, unique=True, help_text="made by the phone: the same photo sent again")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the photo as it is kept")
    size = models.PositiveIntegerField(help_text="bytes of the photo as it is kept")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    taken_at = models.DateTimeField(_("拍摄时间"), null=True, help_text="as the camera said")
    uploaded_at = models.DateTimeField(_("上传时间"), db_default=Now(), editable=False)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    removed_reason = models.CharField(max_length=200, blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["household", "year", "id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["household", "year", "digest"], condition=Q(removed_at=None), name="evidence_once_a_card"
            ),
            models.CheckConstraint(name="evidence_year", condition=Q(year__range=(2010, 2100))),
            models.CheckConstraint(
                name="evidence_kind",
                condition=Q(
                    kind__in=[
                        *("house", "water", "toilet", "illness", "disability", "income", "disaster", "signature"),
                        "other",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="evidence_removed_by_whom_and_why",
                condition=Q(removed_at=None, removed_by=None, removed_reason="")
                | Q(removed_at__isnull=False, removed_by__isnull=False) & ~Q(removed_reason=""),
            ),
            models.CheckConstraint(
                name="evidence_has_a_size", condition=Q(size__gt=0, width__gt=0, height__gt=0) & ~Q(digest="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household_id}/{self.year}/{self.pk}"


class EvidenceContentQuerySet(ScopedQuerySet):
    area_field = "evidence__household__village_id"
    household_field = "evidence__household_id"


class EvidenceContent(models.Model):
    """The photo itself, encrypted; apart from its row, so that lists and the row history never carry it."""

    evidence = models.OneToOneField(Evidence, models.PROTECT, primary_key=True, related_name="content")
    photo_cipher = models.BinaryField()
    thumbnail_cipher = models.BinaryField()

    objects = EvidenceContentQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def photo(self) -> bytes:
        """The photo as JPEG; whoever shows it logs the read."""
        return decrypt_bytes(self.photo_cipher, field=PHOTO, owner=self.pk)

    @property
    def thumbnail(self) -> bytes:
        return decrypt_bytes(self.thumbnail_cipher, field=THUMBNAIL, owner=self.pk)
