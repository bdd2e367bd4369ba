"""A row per background job. The row is the truth; the broker's message is a hint."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet


class JobQuerySet(ScopedQuerySet):
    area_field = "area"
    read_capability = "work"

    def visible_to(self, user, capability=None):
        """One's own jobs; whoever holds a post sees those of the area too."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(pk__in=super().visible_to(user, "recompute").values("pk")) | Q(owner=user))


class Job(models.Model):
    """One piece of background work: who asked, how far it is, what came of it. Parameters hold ids only."""

    class State(models.TextChoices):
        WAITING = "waiting", _("等待中")
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")
        CANCELLED = "cancelled", _("已取消")

    OPEN = (State.WAITING, State.RUNNING)

    kind = models.CharField(max_length=60)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    area = models.BigIntegerField(null=True)
    parameters = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=300, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    cancel_wanted = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["state", "heartbeat_at"], condition=Q(state__in=["waiting", "running"]), name="job_open"
            ),
            models.Index(fields=["owner", "-id"]),
            models.Index(fields=["parent"]),
        ]
        constraints = [
            models.CheckConstraint(name="job_done_within_total", condition=Q(done__lte=F("total"))),
            models.CheckConstraint(
                name="job_finished_when_closed",
                condition=Q(state__in=["waiting", "running"], finished_at=None)
                | Q(state__in=["done", "failed", "cancelled"], finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return 100 * self.done // self.total if self.total else 0

    @property
    def remaining(self) -> timedelta | None:
        """Remaining time at the pace so far; None while nothing can be said."""
        if self.state != self.State.RUNNING or not self.started_at or not self.done:
            return None
        return (timezone.now() - self.started_at) * (self.total - self.done) / self.done
