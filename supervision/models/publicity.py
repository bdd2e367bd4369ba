"""Publicity lists: drafts, their entries, and the frozen snapshot of a posted one."""

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models import Household
from supervision.domain import publicity
from supervision.domain.publicity import Period

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # without 0, 1, i, l and o: people type it from a poster


def new_public_id() -> str:
    """A short random address, so that lists are not counted and browsed by number."""
    return "".join(secrets.choice(_LETTERS) for _place in range(8))


class Step(models.TextChoices):
    FIRST = publicity.FIRST, _("第一次公示（村级）")
    SECOND = publicity.SECOND, _("第二次公示（乡镇级）")


class PublicityListQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "read_lists"

    def drafts(self) -> "PublicityListQuerySet":
        return self.filter(number=None)

    def posted(self) -> "PublicityListQuerySet":
        return self.filter(number__isnull=False)

    def standing(self) -> "PublicityListQuerySet":
        """Posted and not replaced by a posted correction."""
        return self.posted().filter(Q(correction=None) | Q(correction__number=None))

    def shown(self, now: datetime) -> "PublicityListQuerySet":
        """Standing, and the period has not ended: what the public may read by name."""
        return self.standing().filter(snapshot__ends_at__gt=now)

    def ended(self, now: datetime) -> "PublicityListQuerySet":
        return self.standing().filter(snapshot__ends_at__lte=now)


class PublicityList(models.Model):
    """A village's batch of households at one step. Without a number it is a draft; with one it is posted and frozen.

    `number` counts the posted lists of a village. A correction is a new list that names the old one (`corrects`); a
    second list names the first it rests on (`first`). `drafted_at` is when its entries were last made from results.
    """

    public_id = models.CharField(max_length=8, unique=True, default=new_public_id)
    village = models.ForeignKey(Division, models.PROTECT, verbose_name=_("行政村"))
    year = models.SmallIntegerField(_("年度"))
    step = models.CharField(_("环节"), max_length=6, choices=Step)
    number = models.PositiveIntegerField(_("编号"), null=True)
    days = models.PositiveSmallIntegerField(_("公示天数"), default=publicity.DEFAULT.days)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(db_default=Now())
    first = models.ForeignKey("self", models.PROTECT, null=True, related_name="seconds")
    corrects = models.OneToOneField("self", models.PROTECT, null=True, related_name="correction")
    correction_reason = models.CharField(_("更正原因"), max_length=300, blank=True)

    objects = PublicityListQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["village", "-id"])]
        constraints = [
            models.CheckConstraint(name="list_step", condition=Q(step__in=Step.values)),
            models.CheckConstraint(name="list_days", condition=Q(days__range=(1, 30))),
            models.CheckConstraint(name="list_number_from_one", condition=Q(number=None) | Q(number__gte=1)),
            models.UniqueConstraint(fields=["village", "number"], name="list_number_once"),
            models.CheckConstraint(
                name="list_second_rests_on_first",
                condition=Q(step=publicity.FIRST, first=None) | Q(step=publicity.SECOND, first__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["village", "year", "step"], condition=Q(corrects=None), name="list_one_round_a_year"
            ),
            models.CheckConstraint(
                name="list_correction_has_reason",
                condition=Q(corrects=None, correction_reason="")
                | (Q(corrects__isnull=False) & ~Q(correction_reason="")),
            ),
            models.CheckConstraint(name="list_corrects_another", condition=~Q(corrects=F("id"))),
        ]

    def __str__(self) -> str:
        return f"{self.village_id}/{self.year}/{self.step}/{self.number or 'draft'}"

    @property
    def is_draft(self) -> bool:
        return self.number is None

    @property
    def period(self) -> Period | None:
        """None for a draft."""
        return None if self.is_draft else Period(self.snapshot.starts_at, self.snapshot.ends_at)

    @property
    def superseding(self) -> "PublicityList | None":
        """The posted list that corrects this one."""
        correction = getattr(self, "correction", None)
        return correction if correction and not correction.is_draft else None

    def state(self, now: datetime) -> str:
        return publicity.state(now, self.period, superseded=self.superseding is not None)


class ListEntryQuerySet(ScopedQuerySet):
    area_field = "publicity_list__village_id"
    read_capability = "read_lists"

    def included(self) -> "ListEntryQuerySet":
        return self.filter(included=True)

    def held_back(self) -> "ListEntryQuerySet":
        return self.filter(included=False)


class ListEntry(models.Model):
    """A household on a draft: on the list, held back by a rule (`blocks`), or left out by the village with a reason.

    `kind` is empty while the outcome is open. An exclusion may be lifted for one list by the township, with a reason.
    Entries of a posted list can be neither changed nor added to.
    """

    class Kind(models.TextChoices):
        IDENTIFICATION = "identification", _("拟识别为贫困户")
        RETURN = "return", _("拟认定为返贫户")
        MARGINAL = "marginal", _("拟监测：边缘易致贫户")
        UNSTABLE = "unstable", _("拟监测：脱贫不稳定户")

    class Block(models.TextChoices):
        NO_RESULT = "no_result", _("还没有测算结果")
        UNDETERMINED = "undetermined", _("资料不全，待补充")
        STALE = "stale", _("户卡有改动，待重新测算")
        EXCLUDED = "excluded", _("触发排除条件，待核定")
        VERIFY = "verify", _("有疑点，待核实")
        NO_LONGER = "no_longer", _("现结果已不符合条件")
        UPHELD = "upheld", _("异议成立")

    publicity_list = models.ForeignKey(PublicityList, models.CASCADE, related_name="entries")
    household = models.ForeignKey(Household, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=14, choices=Kind, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    included = models.BooleanField()
    position = models.PositiveIntegerField(null=True, help_text="number on the posted list")
    blocks = ArrayField(models.CharField(max_length=12, choices=Block), default=list)
    left_out_reason = models.CharField(_("不列入的原因"), max_length=300, blank=True)
    left_out_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    left_out_at = models.DateTimeField(null=True)
    cleared_reason = models.CharField(_("核定意见"), max_length=300, blank=True)
    cleared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    cleared_at = models.DateTimeField(null=True)

    objects = ListEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publicity_list", "household"], name="entry_household_once"),
            models.UniqueConstraint(fields=["publicity_list", "position"], name="entry_position_once"),
            models.CheckConstraint(
                name="entry_included_or_why_not",
                condition=(Q(included=True, blocks=[], left_out_reason="") & ~Q(kind=""))
                | (Q(included=False, position=None) & (~Q(blocks=[]) | ~Q(left_out_reason=""))),
            ),
            models.CheckConstraint(
                name="entry_left_out_who_when_why",
                condition=Q(left_out_reason="", left_out_by=None, left_out_at=None)
                | (~Q(left_out_reason="") & Q(left_out_by__isnull=False, left_out_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="entry_cleared_who_when_why",
                condition=Q(cleared_reason="", cleared_by=None, cleared_at=None)
                | (~Q(cleared_reason="") & Q(cleared_by__isnull=False, cleared_at__isnull=False)),
            ),
        ]

    @property
    def block_labels(self) -> tuple[Any, ...]:
        return tuple(self.Block(block).label for block in self.blocks)


def _sha256_of(column: str) -> Func:
    """encode(sha256(convert_to(column, 'UTF8')), 'hex')"""
    text = models.TextField()
    written = Func(F(column), Value("UTF8"), function="convert_to", output_field=models.BinaryField())
    digest = Func(written, function="sha256", output_field=models.BinaryField())
    return Func(digest, Value("hex"), function="encode", output_field=text)


class SnapshotQuerySet(ScopedQuerySet):
    area_field = "publicity_list__village_id"
    read_capability = "read_lists"


class Snapshot(models.Model):
    """The masked, frozen text of a posted list. `text` encoded as UTF-8 is what people download and checksum.

    `previous_sha256` is the checksum of the village's list before it (empty for its first): a chain without gaps.
    """

    publicity_list = models.OneToOneField(PublicityList, models.PROTECT, primary_key=True, related_name="snapshot")
    text = models.TextField()
    sha256 = models.CharField(max_length=64, unique=True)
    previous_sha256 = models.CharField(max_length=64, blank=True)
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    posted_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    days = models.PositiveSmallIntegerField()
    index_version = models.CharField(max_length=100)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["ends_at"])]
        constraints = [
            models.CheckConstraint(name="snapshot_sha256_of_text", condition=Q(sha256=_sha256_of("text"))),
            models.UniqueConstraint(
                fields=["previous_sha256"], condition=~Q(previous_sha256=""), name="snapshot_chain_does_not_fork"
            ),
            models.CheckConstraint(
                name="snapshot_period", condition=Q(starts_at__gt=F("posted_at"), ends_at__gt=F("starts_at"))
            ),
        ]

    @property
    def period(self) -> Period:
        return Period(self.starts_at, self.ends_at)
