"""What happened to households: events, asked moves, and villages where a household used to live."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division
from households.models.household import Household


class LifeEventQuerySet(ScopedQuerySet):
    area_field = "village_id"
    household_field = "household_id"

    def of(self, household: Household) -> "LifeEventQuerySet":
        """Events that touched a card, as their own or as the other one."""
        return self.filter(Q(household=household) | Q(other=household))

    def standing(self) -> "LifeEventQuerySet":
        """Events that were not taken back, without the undoing ones."""
        return self.filter(undone_by=None, undoes=None)


class LifeEvent(models.Model):
    """One event of a household, never changed afterwards: taking it back is another event (`undoes`).

    Not to be mistaken for HouseholdEvent, the row history that triggers write. `facts` holds what was written: the
    changes (domain.events), keys of rows, versions and status before; ids, relations and days, no name and no number.
    """

    class Kind(models.TextChoices):
        SPLIT = "split", _("分户")
        MERGE = "merge", _("并户")
        MOVE = "move", _("迁移")
        CLOSE = "close", _("销户")
        REOPEN = "reopen", _("恢复户卡")
        BORN = "born", _("新生儿")
        DIED = "died", _("死亡")
        MARRIED_IN = "married_in", _("婚入")
        MARRIED_OUT = "married_out", _("婚出")
        RETURNED = "returned", _("返回")
        DUPLICATE = "duplicate", _("重复人员合并")
        UNDO = "undo", _("撤销")

    kind = models.CharField(max_length=12, choices=Kind)
    household = models.ForeignKey(Household, models.PROTECT, related_name="+")
    other = models.ForeignKey(Household, models.PROTECT, null=True, related_name="+")
    village = models.ForeignKey(Division, models.PROTECT, help_text="where the household lived when it happened")
    persons = ArrayField(models.BigIntegerField(), default=list)
    on = models.DateField(help_text="the day it took effect")
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    facts = models.JSONField(default=dict)

    objects = LifeEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["household", "-id"]),
            models.Index(fields=["other", "-id"], condition=Q(other__isnull=False), name="household_event_other"),
        ]
        constraints = [
            models.CheckConstraint(name="event_undo_names_what", condition=Q(kind="undo") ^ Q(undoes=None)),
            models.CheckConstraint(name="event_other_is_another", condition=Q(other=None) | ~Q(other=F("household"))),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.household_id} {self.on}"


class _GivenQuerySet(ScopedQuerySet):
    area_field = "from_village_id"


class _ReceivedQuerySet(ScopedQuerySet):
    area_field = "to_village_id"


class MoveRequestQuerySet(ScopedQuerySet):
    """Seen from both ends: by who gives the household and by who is to receive it."""

    def visible_to(self, user, capability=None):
        return self.filter(
            Q(pk__in=_GivenQuerySet(MoveRequest).visible_to(user, capability).values("pk"))
            | Q(pk__in=self.to_receive(user, capability).values("pk"))
        )

    def to_receive(self, user, capability=None):
        """Those into the user's area."""
        return self.filter(pk__in=_ReceivedQuerySet(MoveRequest).visible_to(user, capability).values("pk"))

    def waiting(self):
        return self.filter(state=MoveRequest.State.ASKED)


class MoveRequest(models.Model):
    """A village (or its township) gives a household; the receiving village says yes or no. Both sides sign by name."""

    class State(models.TextChoices):
        ASKED = "asked", _("待接收")
        ACCEPTED = "accepted", _("已接收")
        REFUSED = "refused", _("未接收")
        WITHDRAWN = "withdrawn", _("已撤回")

    household = models.ForeignKey(Household, models.PROTECT, related_name="move_requests")
    from_village = models.ForeignKey(Division, models.PROTECT, related_name="+")
    to_village = models.ForeignKey(Division, models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    reason = models.CharField(_("迁移原因"), max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(_("答复"), max_length=300, blank=True)
    event = models.OneToOneField(LifeEvent, models.PROTECT, null=True, related_name="request")

    objects = MoveRequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["to_village", "-id"]),
            models.Index(fields=["from_village", "-id"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["household"], condition=Q(state="asked"), name="move_asked_once"),
            models.CheckConstraint(name="move_goes_elsewhere", condition=~Q(from_village=F("to_village"))),
            models.CheckConstraint(
                name="move_decided_who_when",
                condition=Q(state="asked", decided_by=None, decided_at=None)
                | (~Q(state="asked") & Q(decided_by__isnull=False, decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="move_not_received_by_who_asked",
                condition=~Q(state__in=["accepted", "refused"]) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(name="move_accepted_by_event", condition=Q(state="accepted") ^ Q(event=None)),
            models.CheckConstraint(name="move_refused_with_answer", condition=~Q(state="refused") | ~Q(answer="")),
        ]

    def __str__(self) -> str:
        return f"{self.household_id}: {self.from_village_id} > {self.to_village_id}"


class FormerVillageQuerySet(ScopedQuerySet):
    area_field = "village_id"

    def standing(self):
        return self.filter(event__undone_by=None)


class FormerVillage(models.Model):
    """Where a household lived until it moved. The old office reads the card as it was on that day, and nothing later.

    `version` is the card's version before the move: the row history leads back to it.
    """

    household = models.ForeignKey(Household, models.PROTECT, related_name="former_villages")
    village = models.ForeignKey(Division, models.PROTECT, related_name="+")
    until = models.DateField()
    version = models.PositiveIntegerField()
    memberships = ArrayField(models.BigIntegerField(), default=list, help_text="who lived there on the day")
    event = models.OneToOneField(LifeEvent, models.PROTECT, related_name="+")

    objects = FormerVillageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["village", "-id"])]

    def __str__(self) -> str:
        return f"{self.household_id} in {self.village_id} until {self.until}"
