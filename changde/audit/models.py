"""The log: who did or read what, when. Append-only for the application's own database role."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One act. `facts` hold codes, ids, versions and counts; never names, numbers or values of people."""

    class Kind(models.TextChoices):
        WRITE = "write", _("写入")
        READ = "read", _("查阅")
        EXPORT = "export", _("导出")
        SESSION = "session", _("登录")

    at = models.DateTimeField(db_default=Now(), editable=False)
    kind = models.CharField(max_length=7, choices=Kind)
    verb = models.CharField(max_length=60)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    target_kind = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=60, blank=True)
    area = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["target_kind", "target_id", "id"]),
            models.Index(fields=["actor", "id"]),
            models.Index(fields=["area", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.target_kind} {self.target_id}"
