"""A plan: which cadre to which post, with the proof and the reasons; a proposal until two have approved it."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cadres.models.cadre import Cadre
from cadres.models.posting import Role
from changde.accounts.areas import ScopedQuerySet
from changde.divisions.models import Division

APPROVALS = 2


class MatchPlanQuerySet(ScopedQuerySet):
    area_field = "division_id"
    read_capability = "read_cadres"

    def visible_to(self, user: Any, capability: str | None = None) -> Any:
        """Plans of one's area; a township also sees the plan its villages are part of (and only their rows)."""
        capability = capability or self.read_capability
        here = super().visible_to(user, capability)
        if capability != self.read_capability:
            return here
        part = PlanAssignment.objects.visible_to(user, capability).filter(plan=OuterRef("pk"))
        return self.filter(Q(pk__in=here.values("pk")) | Exists(part))


class MatchPlan(models.Model):
    """One solved plan. Objective and bound are total fit; the bound comes from prices over all pairs, so that a gap
    of 0 proves that no plan with as many posts filled has a better total."""

    class State(models.TextChoices):
        PROPOSAL = "proposal", _("方案")
        APPROVED = "approved", _("已批准")

    division = models.ForeignKey(Division, models.PROTECT, related_name="plans")
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSAL)
    year = models.SmallIntegerField(_("年度"))
    term_start = models.DateField(_("派驻起"))
    term_end = models.DateField(_("派驻止"))
    parameters = models.JSONField(default=dict)
    posts = models.PositiveIntegerField()
    filled = models.PositiveIntegerField()
    priority_posts = models.PositiveIntegerField()
    priority_filled = models.PositiveIntegerField()
    candidates = models.PositiveIntegerField()
    objective = models.DecimalField(max_digits=14, decimal_places=9)
    bound = models.DecimalField(max_digits=14, decimal_places=9)
    seconds = models.FloatField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    approved_at = models.DateTimeField(null=True)

    objects = MatchPlanQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["division", "-id"])]
        constraints = [
            models.CheckConstraint(name="plan_bound_not_below_objective", condition=Q(bound__gte=F("objective"))),
            models.CheckConstraint(
                name="plan_counts",
                condition=Q(filled__lte=F("posts"))
                & Q(priority_filled__lte=F("priority_posts"))
                & Q(priority_posts__lte=F("posts")),
            ),
            models.CheckConstraint(name="plan_term", condition=Q(term_end__gt=F("term_start"))),
            models.CheckConstraint(
                name="plan_approved_when",
                condition=Q(state="proposal", approved_at=None) | Q(state="approved", approved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.division_id} {self.pk}"

    @property
    def gap(self) -> Decimal:
        return self.bound - self.objective

    @property
    def is_proposal(self) -> bool:
        return self.state == self.State.PROPOSAL


class PlanAssignmentQuerySet(ScopedQuerySet):
    area_field = "village_id"
    read_capability = "read_cadres"

    def filled(self):
        return self.filter(cadre__isnull=False)


class PlanAssignment(models.Model):
    """A post of a plan: filled by a cadre with score, parts and who was next, or empty with a reason.

    `parts` are the parts of the score as decimals; `better` names cadres who fit better but are used elsewhere
    ({cadre, score, village, role}); `reason` is a code of cadres.domain.matching with its `facts`.
    """

    plan = models.ForeignKey(MatchPlan, models.CASCADE, related_name="assignments")
    village = models.ForeignKey(Division, models.PROTECT, related_name="+")
    role = models.CharField(max_length=6, choices=Role)
    seat = models.PositiveSmallIntegerField(default=1)
    priority = models.BooleanField(default=False)
    cadre = models.ForeignKey(Cadre, models.PROTECT, null=True, related_name="proposals")
    score = models.DecimalField(max_digits=11, decimal_places=9, null=True)
    parts = models.JSONField(default=dict)
    next_best = models.ForeignKey(Cadre, models.PROTECT, null=True, related_name="+")
    next_score = models.DecimalField(max_digits=11, decimal_places=9, null=True)
    swap_cost = models.DecimalField(max_digits=11, decimal_places=9, null=True)
    better = models.JSONField(default=list)
    reason = models.CharField(max_length=20, blank=True)
    facts = models.JSONField(default=dict)

    objects = PlanAssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["village", "role", "seat"]
        indexes = [models.Index(fields=["cadre", "-id"])]
        constraints = [
            models.UniqueConstraint(fields=["plan", "village", "role", "seat"], name="plan_post_once"),
            models.UniqueConstraint(fields=["plan", "cadre"], name="plan_one_post_a_cadre"),
            models.CheckConstraint(name="plan_role", condition=Q(role__in=["第一书记", "驻村工作队员", "专业书记"])),
            models.CheckConstraint(
                name="plan_filled_or_reason",
                condition=Q(cadre__isnull=False, score__isnull=False, reason="")
                | (Q(cadre=None, score=None) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="plan_next_with_score",
                condition=Q(next_best=None, next_score=None, swap_cost=None)
                | Q(next_best__isnull=False, next_score__isnull=False, swap_cost__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.village_id} {self.role}"


class PlanApprovalQuerySet(ScopedQuerySet):
    area_field = "plan__division_id"
    read_capability = "read_cadres"


class PlanApproval(models.Model):
    """One signature under a plan; two different people sign, neither of whom made it."""

    plan = models.ForeignKey(MatchPlan, models.CASCADE, related_name="approvals")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    objects = PlanApprovalQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "by"], name="plan_approval_once_a_person")]
