"""Trials: a version of an index system tried on real cards before it is released. Figures and ids, never results."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from changde.jobs.models import Job
from households.domain.index_system import IndexSystem
from households.domain.trial import Flow, flow
from households.models.index import IndexVersion, system_of


class IndexTrialQuerySet(ScopedQuerySet):
    area_field = "division_id"
    read_capability = "manage_index"


class IndexTrial(models.Model):
    """One trial of a version on the cards of an area and a year, beside the version in force there.

    `definition` is what was tried: the version's as it stood then, in a year not its own with that year's lines. The
    version may change afterwards; `digest` is the version's at the time. `totals` are the area's sums
    (domain.trial.village_sums), `sensitivity` its changes by variation (domain.sensitivity.changes).
    """

    class State(models.TextChoices):
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")
        CANCELLED = "cancelled", _("已取消")

    version = models.ForeignKey(IndexVersion, models.CASCADE, related_name="trials")
    digest = models.CharField(max_length=64)
    definition = models.JSONField()
    reference = models.ForeignKey(IndexVersion, models.PROTECT, related_name="+")
    division = models.ForeignKey(Division, models.PROTECT, verbose_name=_("区划"))
    year = models.SmallIntegerField(_("年度"))
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.RUNNING)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    heartbeat_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)
    households = models.PositiveIntegerField(_("户数"), default=0)
    totals = models.JSONField(default=dict)
    sensitivity = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)

    objects = IndexTrialQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["version", "-id"])]
        constraints = [
            models.UniqueConstraint(fields=["version"], condition=Q(state="running"), name="index_trial_one_at_a_time"),
            models.CheckConstraint(
                name="index_trial_finished_when_over", condition=Q(state="running") ^ Q(finished_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} / {self.division} {self.year}"

    @property
    def system(self) -> IndexSystem:
        """What was tried."""
        return system_of(self.definition)

    @property
    def is_out_of_date(self) -> bool:
        """Was the version changed after this trial began?"""
        return self.version.digest != self.digest

    @property
    def borrows_lines(self) -> bool:
        """Was it tried with the lines of another year than its own?"""
        return self.year != self.version.year

    @property
    def flow(self) -> Flow | None:
        """Who enters and leaves absolute poverty; None until it is complete."""
        return flow(self.totals, "absolute") if self.state == self.State.DONE else None

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


class IndexTrialTownshipQuerySet(ScopedQuerySet):
    area_field = "township_id"
    read_capability = "manage_index"


class IndexTrialTownship(models.Model):
    """The ledger of a trial: one row per township, with its share of the totals once it is done."""

    class State(models.TextChoices):
        WAITING = "waiting", _("等待中")
        DONE = "done", _("已完成")

    trial = models.ForeignKey(IndexTrial, models.CASCADE, related_name="townships")
    township = models.ForeignKey(Division, models.PROTECT)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    expected = models.PositiveIntegerField(default=0)
    households = models.PositiveIntegerField(default=0)
    sensitivity = models.JSONField(default=dict)
    seconds = models.FloatField(null=True)

    objects = IndexTrialTownshipQuerySet.as_manager()

    class Meta:
        ordering = ["township"]
        constraints = [models.UniqueConstraint(fields=["trial", "township"], name="index_trial_township_once")]


class IndexTrialVillageQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "manage_index"


class IndexTrialVillage(models.Model):
    """What a trial changes in a village. `sums` as in domain.trial; the columns beside are those lists sort by.

    `examples`: ids of a few households by transition ("relative.absolute": [...]), no names and no figures of theirs.
    """

    trial = models.ForeignKey(IndexTrial, models.CASCADE, related_name="villages")
    village = models.ForeignKey(Division, models.PROTECT, db_index=False)
    households = models.PositiveIntegerField(_("户数"))
    persons = models.PositiveIntegerField(_("人口"))
    changed = models.PositiveIntegerField(help_text="households whose outcome is another")
    absolute_in = models.PositiveIntegerField()
    absolute_out = models.PositiveIntegerField()
    poor_in = models.PositiveIntegerField()
    poor_out = models.PositiveIntegerField()
    sums = models.JSONField()
    examples = models.JSONField(default=dict)

    objects = IndexTrialVillageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["trial", "-changed", "-id"])]
        constraints = [
            models.UniqueConstraint(fields=["trial", "village"], name="index_trial_village_once"),
            models.CheckConstraint(name="index_trial_changed_within", condition=Q(changed__lte=F("households"))),
        ]
