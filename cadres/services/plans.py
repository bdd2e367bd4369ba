"""Plans: propose one at the optimum, sign it, and let the postings follow."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from time import perf_counter
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cadres import frames
from cadres.domain import matching
from cadres.domain.fit import SCALE, Demand, FitRules, Term
from cadres.domain.matching import Assignment, MatchResult, Unfilled
from cadres.domain.posts import PostRules, posts_of_all
from cadres.models import Cadre, MatchPlan, PlanApproval, PlanAssignment, Posting, VillageNeed
from cadres.models.plan import APPROVALS
from cadres.models.posting import TERM_YEARS, end_of_term
from cadres.services.needs import recompute_needs
from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.divisions.codes import Level, ancestor, contains

STEPS = 5
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PlanRules:
    """What a plan is made with; kept with the plan."""

    fit: FitRules = field(default_factory=FitRules)
    posts: PostRules = field(default_factory=PostRules)
    years: int = TERM_YEARS


def propose_plan(
    *,
    division: int,
    by: User | None,
    start: date | None = None,
    rules: PlanRules | None = None,
    progress: Progress | None = None,
) -> MatchPlan:
    """Work out the needs, the posts and the best assignment of cadres, and keep it as a proposal.

    Without `by` (the command) and for a city office the cadres of the whole city can be chosen; for a county office
    those of its own units and of the city's. `start` is the first day of the postings (default: today). Raises Refusal
    without cards or outside one's area. `progress(done, of)` is called after each step.
    """
    if by is not None and not covers(by, "match_cadres", division):
        raise Refusal("not_your_area", _("只能为本辖区编制派驻方案"))
    rules, begun = rules or PlanRules(), perf_counter()
    told = progress or (lambda done, of: None)
    start = start or timezone.localdate()
    term = Term(start, end_of_term(start, rules.years))
    told(0, STEPS)
    year = recompute_needs(division=division, by=by).year
    told(1, STEPS)
    needs = list(VillageNeed.objects.within(division).filter(year=year).select_related("village"))
    posts = posts_of_all([frames.poverty_of(need) for need in needs], rules.posts)
    demands = {need.village_id: _demand(need) for need in needs}
    told(2, STEPS)
    whole_city = by is None or covers(by, "match_cadres", ancestor(division, Level.CITY))
    candidates = frames.pool(division, whole_city=whole_city, start=start)
    told(3, STEPS)
    quotas = frames.quotas(candidates)
    result = matching.match(posts, demands, candidates, rules=rules.fit, term=term, quotas=quotas)
    told(4, STEPS)
    return _keep(
        result,
        division=division,
        year=year,
        term=term,
        by=by,
        candidates=len(candidates),
        parameters=parameters_of(rules) | {"whole_city": whole_city, "quotas": quotas},
        seconds=round(perf_counter() - begun, 3),
    )


def _demand(need: VillageNeed) -> Demand:
    return Demand(need.village_id, ancestor(need.village_id, Level.COUNTY), need.effective)


def parameters_of(rules: PlanRules) -> dict[str, Any]:
    """The rules as plain values; shares as decimals."""

    def plain(value: Any) -> Any:
        if isinstance(value, Fraction):
            return float(value)
        return {str(key): plain(one) for key, one in value.items()} if isinstance(value, Mapping) else value

    return {
        "fit": {name: plain(value) for name, value in asdict(rules.fit).items()},
        "posts": {name: plain(value) for name, value in asdict(rules.posts).items()},
        "years": rules.years,
    }


@transaction.atomic
def _keep(result: MatchResult, *, division: int, year: int, term: Term, by: User | None, **facts: Any) -> MatchPlan:
    plan = MatchPlan.objects.create(
        division_id=division,
        year=year,
        term_start=term.start,
        term_end=term.end,
        posts=len(result.posts),
        filled=len(result.assignments),
        priority_posts=result.priority_posts,
        priority_filled=result.priority_filled,
        objective=decimal(result.objective),
        bound=decimal(result.bound),
        made_by=by,
        **facts,
    )
    numbers = {one.staff_number for one in result.assignments}
    numbers |= {one.next_best.staff_number for one in result.assignments if one.next_best}
    numbers |= {better.staff_number for one in result.assignments for better in one.better_elsewhere}
    ids = dict(Cadre.objects.filter(staff_number__in=numbers).values_list("staff_number", "pk"))
    rows = [_filled(plan, one, ids) for one in result.assignments] + [_empty(plan, one) for one in result.unfilled]
    PlanAssignment.objects.bulk_create(rows, batch_size=500)
    record(
        "cadres.propose_plan",
        by=by,
        target=plan,
        area=division,
        posts=plan.posts,
        filled=plan.filled,
        objective=str(plan.objective),
        gap=str(plan.gap),
    )
    return plan


def _filled(plan: MatchPlan, one: Assignment, ids: Mapping[str, int]) -> PlanAssignment:
    following = one.next_best
    return PlanAssignment(
        plan=plan,
        village_id=one.post.village,
        role=one.post.role,
        seat=one.post.seat,
        priority=one.post.priority,
        cadre_id=ids[one.staff_number],
        score=decimal(one.score),
        parts={name: value / SCALE for name, value in asdict(one.parts).items()},
        next_best_id=ids[following.staff_number] if following else None,
        next_score=decimal(following.score) if following else None,
        swap_cost=decimal(following.swap_cost) if following else None,
        better=[
            {
                "cadre": ids[better.staff_number],
                "score": better.score / SCALE,
                "village": better.post.village,
                "role": better.post.role,
            }
            for better in one.better_elsewhere
        ],
    )


def _empty(plan: MatchPlan, one: Unfilled) -> PlanAssignment:
    return PlanAssignment(
        plan=plan,
        village_id=one.post.village,
        role=one.post.role,
        seat=one.post.seat,
        priority=one.post.priority,
        reason=one.reason,
        facts={"barred": dict(one.barred), "used_at": dict(one.used_at), "over_quota": one.over_quota},
    )


def decimal(billionths: int) -> Decimal:
    return Decimal(billionths).scaleb(-9)


@transaction.atomic
def approve_plan(*, plan: MatchPlan, by: User) -> MatchPlan:
    """Sign a proposal. Neither signature is the maker's; with the second one the plan is approved and the postings
    follow from the first day of the term (a cadre's present posting ends the day before)."""
    if not covers(by, "match_cadres", plan.division_id):
        raise Refusal("not_your_area", _("只能批准本辖区的派驻方案"))
    plan = MatchPlan.objects.select_for_update().get(pk=plan.pk)
    if not plan.is_proposal:
        raise Refusal("already_approved", _("这个方案已经批准"))
    if plan.made_by_id == by.pk:
        raise Refusal("own_plan", _("方案由您编制，须由另外两人批准"))
    _approval, created = PlanApproval.objects.get_or_create(plan=plan, by=by)
    if not created:
        raise Refusal("signed_already", _("您已经签批，还需要另一人签批"))
    record("cadres.sign_plan", by=by, target=plan, area=plan.division_id)
    if plan.approvals.count() >= APPROVALS:
        _put_into_force(plan, by)
    return plan


def _put_into_force(plan: MatchPlan, by: User) -> None:
    filled = list(plan.assignments.filled().select_related("cadre"))
    present = {one.cadre_id: one for one in Posting.objects.select_for_update().open()}
    staying = {
        one.cadre_id
        for one in filled
        if (now := present.get(one.cadre_id)) and (now.village_id, now.role) == (one.village_id, one.role)
    }
    _end_present(plan, present, moved={one.cadre_id for one in filled} - staying, staying=staying)
    opened = [
        Posting(
            cadre_id=one.cadre_id,
            village_id=one.village_id,
            role=one.role,
            start=plan.term_start,
            planned_end=plan.term_end,
            plan=plan,
        )
        for one in filled
        if one.cadre_id not in staying
    ]
    Posting.objects.bulk_create(opened, batch_size=500)
    plan.state, plan.approved_at = MatchPlan.State.APPROVED, timezone.now()
    plan.save(update_fields=["state", "approved_at"])
    record("cadres.approve_plan", by=by, target=plan, area=plan.division_id, postings=len(opened))


def _end_present(plan: MatchPlan, present: Mapping[int, Posting], *, moved: set[int], staying: set[int]) -> None:
    """Close the postings that the plan replaces: all of its division but those it keeps, and those it moves in."""
    for posting in present.values():
        inside = contains(plan.division_id, posting.village_id) and posting.cadre_id not in staying
        if not inside and posting.cadre_id not in moved:
            continue
        posting.ended_on = max(plan.term_start - timedelta(days=1), posting.start)
        over = posting.planned_end <= plan.term_start
        posting.end_reason = Posting.EndReason.TERM_OVER if over else Posting.EndReason.MOVED
        posting.save(update_fields=["ended_on", "end_reason"])
