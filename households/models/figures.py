"""Figures kept per village: cards by status, and what each index version said; every larger area is their sum."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.domain.figures import NAMES, TABLES, Sums
from households.models.index import IndexRun, IndexVersion


class FiguresQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "read_figures"


class CardCount(models.Model):
    """How many households of a village have a status, and their people. Closed households are not counted."""

    village = models.ForeignKey(Division, models.PROTECT, db_index=False)
    status = models.CharField(max_length=12)
    households = models.PositiveIntegerField()
    persons = models.PositiveIntegerField()
    counted_at = models.DateTimeField(db_default=Now())

    objects = FiguresQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["village", "status"], name="card_count_once")]


class VillageFigures(models.Model):
    """Sums over a village's results by one version (households.domain.figures.Sums says what each column counts).

    `current`: of the results readers see. A row that is not current is what an earlier version said last, before
    another one judged cards of the village: it stays as it stood, for the trend.
    """

    village = models.ForeignKey(Division, models.PROTECT, db_index=False)
    year = models.SmallIntegerField()
    version = models.ForeignKey(IndexVersion, models.PROTECT, db_index=False)
    run = models.ForeignKey(IndexRun, models.PROTECT, db_index=False)
    current = models.BooleanField(default=True)
    counted_at = models.DateTimeField(db_default=Now())
    households = models.PositiveIntegerField()
    persons = models.PositiveIntegerField()
    undetermined = models.PositiveIntegerField()
    absolute = models.PositiveIntegerField()
    absolute_persons = models.PositiveIntegerField()
    relative = models.PositiveIntegerField()
    judged = models.PositiveIntegerField()
    members = models.PositiveIntegerField()
    poor = models.PositiveIntegerField()
    poor_members = models.PositiveIntegerField()
    poor_score = models.FloatField()
    below_line = models.PositiveIntegerField()
    below_line_members = models.PositiveIntegerField()
    below_monitoring = models.PositiveIntegerField()
    shortfall = models.BigIntegerField(help_text="fen")
    squared_shortfall = models.FloatField(help_text="fen^2 a member")
    guarantee_gap = models.PositiveIntegerField()
    excluded = models.PositiveIntegerField()
    censored = ArrayField(models.IntegerField())
    by_status = ArrayField(models.IntegerField())
    by_status_persons = ArrayField(models.IntegerField())
    by_cause = ArrayField(models.IntegerField())

    objects = FiguresQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["village", "year"])]
        constraints = [
            models.UniqueConstraint(fields=["village", "version", "current"], name="village_figures_once"),
            models.CheckConstraint(
                name="village_figures_add_up",
                condition=Q(households=models.F("judged") + models.F("undetermined"))
                & Q(poor_members__lte=models.F("members"))
                & Q(below_line_members__lte=models.F("members")),
            ),
        ]

    @property
    def sums(self) -> Sums:
        values: dict[str, Any] = {name: getattr(self, name) for name in NAMES}
        return Sums(**values | {name: tuple(values[name]) for name in TABLES})


class FiguresMark(models.Model):
    """Something behind a village's figures changed; written by triggers of the tables counted, in the transaction of
    the change. Who counts takes away the marks it saw before counting: what is committed later leaves its own.

    `year` 0: the cards by status; else the figures of that accounting year.
    """

    CARDS = 0

    village = models.ForeignKey(Division, models.PROTECT)
    year = models.SmallIntegerField()
    at = models.DateTimeField(db_default=Now())

    objects = FiguresQuerySet.as_manager()
