"""Index versions, the runs that apply them, and what they said of each household."""

import json
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from changde.jobs.models import Job
from households.domain.index_system import IndexSystem
from households.models.household import Household


class IndexVersionQuerySet(models.QuerySet):
    def in_force(self) -> "IndexVersionQuerySet":
        return self.filter(state=IndexVersion.State.RELEASED)

    def due(self, day: date) -> "IndexVersionQuerySet":
        """Released for a day that has come."""
        return self.filter(state=IndexVersion.State.SCHEDULED, effective_from__lte=day)


class IndexVersion(models.Model):
    """One version of an index system: a county's (division), or the city's default (no division), for one year.

    draft -> tried (a trial of this very definition is complete; set by the trials) -> proposed by one -> released by
    another, at once or scheduled for `effective_from` -> superseded by the next. A released or scheduled row is frozen
    by the database: all that is left is that a scheduled one is cancelled with a reason before its day, that its day
    comes, and that a later release supersedes it.
    `columns` names, in order, what the `values` of its results hold. `unfinished` is what an office typed that makes no
    index system yet (domain.index_draft); `definition` then is the last one that did, and nothing can be proposed.
    `revision` rises with every edit, so that two people cannot overwrite one another.
    """

    scope = "reference"

    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        TRIED = "tried", _("已试算")
        PROPOSED = "proposed", _("待发布")
        SCHEDULED = "scheduled", _("待生效")
        RELEASED = "released", _("已发布")
        SUPERSEDED = "superseded", _("已被替代")
        CANCELLED = "cancelled", _("已取消")
        DISCARDED = "discarded", _("已作废")

    OPEN = (State.DRAFT, State.TRIED)
    FROZEN = (State.SCHEDULED, State.RELEASED, State.SUPERSEDED, State.CANCELLED)

    division = models.ForeignKey(Division, models.PROTECT, null=True, verbose_name=_("县(市、区)"))
    year = models.SmallIntegerField(_("年度"))
    number = models.PositiveSmallIntegerField(_("版本"))
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.DRAFT)
    definition = models.JSONField()
    columns = ArrayField(models.CharField(max_length=60))
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    based_on = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    unfinished = models.JSONField(null=True)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    effective_from = models.DateField(_("生效日期"), null=True)
    returned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    returned_at = models.DateTimeField(null=True)
    return_reason = models.CharField(_("退回原因"), max_length=300, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(_("取消原因"), max_length=300, blank=True)
    state_before_discard = models.CharField(max_length=10, blank=True)

    objects = IndexVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "year", "number"], nulls_distinct=False, name="index_version_number_once"
            ),
            models.UniqueConstraint(
                fields=["division", "year"],
                condition=Q(state="released"),
                nulls_distinct=False,
                name="index_version_one_in_force",
            ),
            models.UniqueConstraint(
                fields=["division", "year"],
                condition=Q(state="scheduled"),
                nulls_distinct=False,
                name="index_version_one_scheduled",
            ),
            models.CheckConstraint(
                name="index_version_released_when",
                condition=Q(state__in=["draft", "tried", "proposed", "discarded"], released_at=None)
                | Q(state__in=["scheduled", "released", "superseded", "cancelled"], released_at__isnull=False),
            ),
            models.CheckConstraint(
                name="index_version_proposed_when",
                condition=Q(state__in=["draft", "tried", "discarded"], proposed_by=None, effective_from=None)
                | Q(state="proposed", proposed_by__isnull=False, effective_from__isnull=False)
                | Q(state__in=["scheduled", "released", "superseded", "cancelled"], effective_from__isnull=False),
            ),
            models.CheckConstraint(
                name="index_version_finished_when_proposed",
                condition=Q(state__in=["draft", "tried", "discarded"]) | Q(unfinished__isnull=True),
            ),
            models.CheckConstraint(
                name="index_version_returned_with_reason",
                condition=Q(returned_by=None, returned_at=None, return_reason="")
                | (Q(returned_by__isnull=False, returned_at__isnull=False) & ~Q(return_reason="")),
            ),
            models.CheckConstraint(
                name="index_version_discarded_from",
                condition=Q(state="discarded", state_before_discard__in=["draft", "tried"])
                | (~Q(state="discarded") & Q(state_before_discard="")),
            ),
            models.CheckConstraint(
                name="index_version_superseded_when",
                condition=Q(state="superseded") ^ Q(superseded_at=None),
            ),
            models.CheckConstraint(
                name="index_version_cancelled_with_reason",
                condition=(
                    Q(state="cancelled", cancelled_by__isnull=False, cancelled_at__isnull=False) & ~Q(cancel_reason="")
                )
                | (~Q(state="cancelled") & Q(cancelled_by=None, cancelled_at=None, cancel_reason="")),
            ),
            models.CheckConstraint(
                name="index_version_released_by_two",
                condition=Q(released_by=None) | (Q(proposed_by__isnull=False) & ~Q(released_by=F("proposed_by"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system.name.zh} {self.year}-{self.number}"

    @property
    def place(self) -> str:
        return self.division.name if self.division else str(_("全市默认"))

    @property
    def is_open(self) -> bool:
        """Can it still be edited?"""
        return self.state in self.OPEN

    @property
    def system(self) -> IndexSystem:
        """The index system. Reading one validates it (25 ms), so a process reads each definition once."""
        return system_of(self.definition)


def system_of(definition: Any) -> IndexSystem:
    """The index system a stored definition describes."""
    return _system(json.dumps(definition, sort_keys=True))


@lru_cache(maxsize=256)
def _system(definition: str) -> IndexSystem:
    return IndexSystem.from_json(json.loads(definition))


class IndexRunQuerySet(ScopedQuerySet):
    area_field = "division_id"
    read_capability = "read_results"


class IndexRun(models.Model):
    """One recompute of an area and an accounting year; two that overlap cannot run at once (database constraint)."""

    class State(models.TextChoices):
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")
        CANCELLED = "cancelled", _("已取消")

    class Kind(models.TextChoices):
        RUN = "run", _("整体测算")
        CARDS = "cards", _("单户测算")

    division = models.ForeignKey(Division, models.PROTECT)
    first_code = models.BigIntegerField()
    last_code = models.BigIntegerField()
    year = models.SmallIntegerField(_("年度"))
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.RUN)
    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.RUNNING)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    heartbeat_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)
    households = models.PositiveIntegerField(_("户数"), default=0)
    outcomes = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True, help_text="over the results, without run ids and times")
    final = models.BooleanField(default=False, help_text="the year's final run is kept for ever")
    error = models.CharField(max_length=300, blank=True)

    objects = IndexRunQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["division", "-id"])]
        constraints = [
            ExclusionConstraint(
                name="index_run_no_overlap",
                expressions=[
                    (Func(F("first_code"), F("last_code"), Value("[]"), function="int8range"), "&&"),
                    (Func(F("year"), F("year"), Value("[]"), function="int4range"), "&&"),
                ],
                condition=Q(state="running"),
            ),
            models.CheckConstraint(
                name="index_run_finished_when_over", condition=Q(state="running") ^ Q(finished_at__isnull=False)
            ),
            models.CheckConstraint(name="index_run_final_is_done", condition=Q(final=False) | Q(state="done")),
            models.UniqueConstraint(
                fields=["division", "year"], condition=Q(final=True), name="index_run_one_final_a_year"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.division} {self.year} #{self.pk}"

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


class RunChunkQuerySet(ScopedQuerySet):
    area_field = "township_id"
    read_capability = "read_results"


class RunChunk(models.Model):
    """The ledger of a run: one row per township; who works at it, since when and the how manieth time.

    A parked one was given up with its reason after MAX_TRIES; the others go on without it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("等待中")
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        PARKED = "parked", _("已搁置")

    SILENT_AFTER = timedelta(seconds=30)  # three beats

    run = models.ForeignKey(IndexRun, models.CASCADE, related_name="chunks")
    township = models.ForeignKey(Division, models.PROTECT)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True, help_text="machine:process")
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    expected = models.PositiveIntegerField(default=0)
    households = models.PositiveIntegerField(default=0)
    outcomes = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    seconds = models.FloatField(null=True)

    objects = RunChunkQuerySet.as_manager()

    class Meta:
        ordering = ["township"]
        constraints = [
            models.UniqueConstraint(fields=["run", "township"], name="run_chunk_once"),
            models.CheckConstraint(name="run_chunk_parked_says_why", condition=~Q(state="parked") | ~Q(error="")),
            models.CheckConstraint(
                name="run_chunk_running_has_a_worker",
                condition=~Q(state="running") | Q(started_at__isnull=False, heartbeat_at__isnull=False),
            ),
        ]

    @property
    def is_silent(self) -> bool:
        """Begun, but its worker has not been heard for a while."""
        since = self.heartbeat_at
        return self.state == self.State.RUNNING and since is not None and timezone.now() - since > self.SILENT_AFTER


class TownshipPointerQuerySet(ScopedQuerySet):
    area_field = "township_id"
    read_capability = "read_results"


class TownshipPointer(models.Model):
    """Which run readers of a township and year see; it moves when the township's chunk is complete."""

    township = models.ForeignKey(Division, models.PROTECT)
    year = models.SmallIntegerField()
    run = models.ForeignKey(IndexRun, models.PROTECT, related_name="pointers")

    objects = TownshipPointerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["township", "year"], name="township_pointer_once")]


class ResultQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "household_id"
    read_capability = "read_results"

    def current(self) -> "ResultQuerySet":
        """The results readers see: those of the run the township's pointer names."""
        township = OuterRef("village_id") - OuterRef("village_id") % 1000
        pointers = TownshipPointer.objects.filter(run=OuterRef("run"), year=OuterRef("year"), township=township)
        return self.filter(Exists(pointers))


class Result(models.Model):
    """What a version said of a household: values read, deprivations, score, outcome. Codes and figures, no prose.

    `values` holds, in the order of the version's `columns`, what was read (money in fen, areas in hundredths, null is
    unknown). Bits of `deprived` and `unknown` count the version's indicators, of `missing` its vetoes, of `excluded_by`
    its exclusion rules. net_income is in fen. Nothing here changes but `stale`; a card recomputed alone gets a new row.
    """

    class Outcome(models.TextChoices):
        UNDETERMINED = "undetermined", _("无法判定")
        ABSOLUTE = "absolute", _("绝对贫困")
        RELATIVE = "relative", _("相对贫困")
        NOT_POOR = "not_poor", _("不贫困")

    household = models.ForeignKey(Household, models.CASCADE, related_name="results", db_index=False)
    run = models.ForeignKey(IndexRun, models.PROTECT, related_name="results", db_index=False)
    village = models.ForeignKey(Division, models.PROTECT, db_index=False)
    version = models.ForeignKey(IndexVersion, models.PROTECT, db_index=False)
    year = models.SmallIntegerField()
    card_version = models.PositiveIntegerField()
    village_card_version = models.PositiveIntegerField(default=0)
    values = models.JSONField()
    net_income = models.BigIntegerField(null=True)
    members = models.PositiveSmallIntegerField(null=True)
    deprived = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    excluded_by = models.BigIntegerField(default=0)
    score = models.DecimalField(max_digits=10, decimal_places=9, null=True)
    outcome = models.CharField(max_length=12, choices=Outcome)
    below_line = models.BooleanField(default=False)
    below_monitoring_line = models.BooleanField(default=False)
    reaches_cutoff = models.BooleanField(default=False)
    guarantee_gap = models.BooleanField(default=False)
    excluded = models.BooleanField(default=False)
    open_fields = models.TextField(blank=True, help_text="fields to fill in, comma-separated; only when undetermined")
    stale = models.BooleanField(default=False)
    computed_at = models.DateTimeField(db_default=Now())

    objects = ResultQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["village", "year", "outcome"]),
            models.Index(fields=["run", "village"]),
            models.Index(fields=["village", "year"], condition=Q(stale=True), name="result_stale"),
            models.Index(fields=["year", "outcome", "household"], include=["run", "village"], name="result_outcome"),
            models.Index(fields=["year", "household"], condition=Q(guarantee_gap=True), name="result_guarantee_gap"),
            models.Index(fields=["year", "household"], condition=Q(excluded=True), name="result_excluded"),
            models.Index(fields=["year", "household"], condition=Q(stale=True), name="result_stale_household"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["household", "run"], name="result_once_a_run"),
            models.CheckConstraint(
                name="result_undetermined_names_fields", condition=Q(outcome="undetermined") ^ Q(open_fields="")
            ),
            models.CheckConstraint(name="result_score_range", condition=Q(score=None) | Q(score__gte=0, score__lte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.household_id}/{self.year}: {self.outcome}"

    @property
    def values_by_name(self) -> dict[str, object]:
        """What was read, by the names of the version's columns."""
        return dict(zip(self.version.columns, self.values, strict=True))
