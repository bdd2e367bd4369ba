"""Reads shaped for pages; the first argument is the user."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from cadres import messages
from cadres.domain.needs import SKILLS
from cadres.models import Cadre, MatchPlan, PlanAssignment, Posting, Unit, VillageNeed
from cadres.models.posting import Role
from changde.accounts.areas import covers
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division

# --- cadres ---------------------------------------------------------------------------------------------------------


def cadre_list(user: Any, filters: Mapping[str, str]) -> QuerySet[Cadre]:
    """Cadres one may see, with unit, skills and the posting held now; `filters`: q, kind, skill, role, posted."""
    cadres = Cadre.objects.visible_to(user).select_related("unit").prefetch_related("skills", _open_postings(user))
    text = filters.get("q", "").strip()
    if text:
        cadres = cadres.filter(
            Q(name__startswith=text) | Q(staff_number=text) | Q(initials__startswith=text.lower()) | Q(unit__name=text)
        )
    if filters.get("kind") in Unit.Kind.values:
        cadres = cadres.filter(unit__kind=filters["kind"])
    if filters.get("skill") in SKILLS:
        cadres = cadres.filter(skills__skill=filters["skill"])
    if filters.get("role") in Role.values:
        cadres = cadres.filter(possible_roles__contains=[filters["role"]])
    if filters.get("posted") in ("yes", "no"):
        serving = Posting.objects.open().values("cadre")
        cadres = cadres.filter(pk__in=serving) if filters["posted"] == "yes" else cadres.exclude(pk__in=serving)
    return cadres


def _open_postings(user: Any) -> Prefetch:
    visible = Posting.objects.visible_to(user).open().select_related("village")
    return Prefetch("postings", visible, to_attr="serving")


def cadre_page(user: Any, cadre_id: int) -> dict[str, Any] | None:
    """A cadre with skills, postings and latest proposals, as far as one may see them; None when not visible."""
    cadre = Cadre.objects.visible_to(user).select_related("unit__division").filter(pk=cadre_id).first()
    if cadre is None:
        return None
    codes = [code for code in [cadre.home_village, *cadre.avoid_villages] if code]
    names = places(codes + cadre.wished_counties)
    return {
        "cadre": cadre,
        "skills": list(cadre.skills.all()),
        "postings": list(
            Posting.objects.visible_to(user).filter(cadre=cadre).select_related("village").order_by("-start")
        ),
        "proposals": list(
            PlanAssignment.objects.visible_to(user)
            .filter(cadre=cadre)
            .select_related("village", "plan")
            .order_by("-pk")[:5]
        ),
        "home": names.get(cadre.home_village or 0, cadre.home_village),
        "avoided": [names.get(code, code) for code in cadre.avoid_villages],
        "wished": [names.get(code, code) for code in cadre.wished_counties],
        "roles": [_(role) for role in cadre.possible_roles],
    }


def places(codes: Iterable[int]) -> dict[int, str]:
    """Names of divisions by code; a village with its county before it (one query)."""
    wanted = set(codes)
    above = {ancestor(code, Level.COUNTY) for code in wanted}
    names = dict(Division.objects.filter(code__in=wanted | above).values_list("code", "name"))
    return {
        code: names[code] if code in above else f"{names.get(ancestor(code, Level.COUNTY), '')} {names[code]}".strip()
        for code in wanted
        if code in names
    }


# --- needs ----------------------------------------------------------------------------------------------------------


def need_list(user: Any, division: int) -> QuerySet[VillageNeed]:
    """Needs of the villages of `division` in the latest year that has any, with the number of cadres serving there."""
    needs = VillageNeed.objects.visible_to(user).within(division)
    latest = needs.order_by("-year").values("year")[:1]
    return needs.filter(year=latest).select_related("village__parent").annotate(serving=_serving())


def _serving() -> Count:
    return Count("village__postings", filter=Q(village__postings__ended_on=None))


def need_page(user: Any, village: int) -> dict[str, Any] | None:
    """The latest need of a village with its explanation, and who serves there; None when not visible."""
    need = (
        VillageNeed.objects.visible_to(user)
        .filter(village_id=village)
        .select_related("village__parent", "corrected_by")
        .order_by("-year")
        .first()
    )
    if need is None:
        return None
    return {
        "need": need,
        "weights": weight_rows(need.effective),
        "computed": weight_rows(need.weights),
        "parts": explanation(need.rows),
        "postings": list(
            Posting.objects.visible_to(user).open().filter(village_id=village).select_related("cadre__unit")
        ),
        "may_correct": covers(user, "correct_needs", village),
    }


@dataclass(frozen=True)
class Weight:
    """A skill and its share of the need."""

    skill: str
    share: Decimal

    @property
    def label(self) -> str:
        return f"{self.skill} {self.share * 100:.0f} %"


def weight_rows(weights: Mapping[str, int]) -> list[Weight]:
    """Skills of a need, the greatest first; shares as fractions of 1."""
    ordered = sorted(weights.items(), key=lambda pair: (-pair[1], SKILLS.index(pair[0])))
    return [Weight(_(skill), Decimal(weight).scaleb(-4)) for skill, weight in ordered]


@dataclass
class Reason:
    """One fact of the explanation and the skills it asks for."""

    key: str
    count: float
    total: float
    share: float
    skills: list[tuple[str, float]] = field(default_factory=list)


def explanation(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The stored steps by part and fact, in the order they were worked out."""
    parts: dict[str, dict[str, Reason]] = {}
    for row in rows:
        facts = parts.setdefault(row["part"], {})
        reason = facts.setdefault(row["key"], Reason(_(row["key"]), row["count"], row["total"], row["share"]))
        reason.skills.append((_(row["skill"]), row["amount"]))
    return [
        {"name": messages.NEED_PARTS.get(part, part), "reasons": list(facts.values())} for part, facts in parts.items()
    ]


# --- plans ----------------------------------------------------------------------------------------------------------


def plan_list(user: Any) -> QuerySet[MatchPlan]:
    """Plans one may see, the newest first, with the number of signatures."""
    plans = MatchPlan.objects.visible_to(user).select_related("division", "made_by")
    return plans.annotate(signatures=Count("approvals")).order_by("-pk")


def plans_to_sign(user: Any) -> QuerySet[MatchPlan]:
    """Proposals that wait for this person's signature: of the own area, made by somebody else, not signed yet."""
    proposals = MatchPlan.objects.visible_to(user, "match_cadres").filter(state=MatchPlan.State.PROPOSAL)
    unsigned = proposals.exclude(made_by_id=user.pk).exclude(approvals__by_id=user.pk)
    return unsigned.select_related("division").order_by("pk")


def plan_page(user: Any, plan_id: int, township: int | None = None) -> dict[str, Any] | None:
    """A plan: totals (for who covers its division), figures by township, the posts of one township with their reasons,
    and all empty posts. None when not visible."""
    plan = MatchPlan.objects.visible_to(user).select_related("division", "made_by").filter(pk=plan_id).first()
    if plan is None:
        return None
    rows = plan.assignments.visible_to(user)
    townships = township_figures(rows)
    chosen = next((one for one in townships if one["code"] == township), townships[0] if townships else None)
    shown = rows.within(chosen["code"]) if chosen else rows.none()
    return {
        "plan": plan,
        "covered": covers(user, "read_cadres", plan.division_id),
        "townships": townships,
        "chosen": chosen,
        "villages": _by_village(
            shown.select_related("village", "cadre__unit", "next_best__unit"), plan.parameters.get("fit", {}), user
        ),
        "empty": [
            {"row": row, "reason": messages.unfilled(row.reason), "details": messages.unfilled_details(row.facts)}
            for row in rows.filter(cadre=None).select_related("village__parent")
        ],
        "approvals": list(plan.approvals.select_related("by").order_by("pk")),
    }


def township_figures(rows: QuerySet[PlanAssignment]) -> list[dict[str, Any]]:
    """Posts, filled posts and mean score by township (two queries)."""
    figures: dict[int, dict[str, Any]] = {}
    by_village = (
        rows.order_by().values("village_id").annotate(posts=Count("pk"), filled=Count("cadre"), mean=Avg("score"))
    )
    for row in by_village:
        code = ancestor(row["village_id"], Level.TOWNSHIP)
        one = figures.setdefault(code, {"code": code, "posts": 0, "filled": 0, "villages": 0, "total": Decimal(0)})
        one["posts"] += row["posts"]
        one["filled"] += row["filled"]
        one["villages"] += 1
        one["total"] += (row["mean"] or 0) * row["filled"]
    names = places(figures)
    for code, one in figures.items():
        one["name"] = names.get(code, str(code))
        one["mean"] = one["total"] / one["filled"] if one["filled"] else None
    return [figures[code] for code in sorted(figures)]


def _in_order(row: PlanAssignment) -> tuple[int, int, int]:
    """By village; first secretary, team members, professional secretary."""
    return row.village_id, Role.values.index(row.role), row.seat


PART_ORDER = ("skills", "years", "assessment", "dialect", "proximity", "wished", "cap", "change")


def _by_village(rows: Iterable[PlanAssignment], full: Mapping[str, float], user: Any) -> list[dict[str, Any]]:
    """Villages with their posts; `full` are the weights of the parts the plan was made with."""
    rows = list(rows)
    better = {one["cadre"] for row in rows for one in row.better}
    names = {cadre.pk: str(cadre) for cadre in Cadre.objects.filter(pk__in=better)}
    where = places({one["village"] for row in rows for one in row.better})
    visible = set(
        Cadre.objects.visible_to(user).filter(pk__in=[row.cadre_id for row in rows]).values_list("pk", flat=True)
    )
    villages: dict[int, dict[str, Any]] = {}
    for row in sorted(rows, key=_in_order):
        village = villages.setdefault(row.village_id, {"village": row.village, "posts": []})
        village["posts"].append(
            {
                "row": row,
                "open": row.cadre_id in visible,
                "parts": [
                    {
                        "name": messages.FIT_PARTS[part],
                        "value": row.parts[part],
                        "full": None if part in ("cap", "change") else full.get(part),
                    }
                    for part in PART_ORDER
                    if row.parts.get(part) or part not in ("cap", "change")
                ]
                if row.cadre_id
                else [],
                "better": [
                    {
                        "cadre": names.get(one["cadre"], ""),
                        "score": one["score"],
                        "village": where.get(one["village"], one["village"]),
                        "role": _(one["role"]),
                    }
                    for one in row.better
                ],
                "reason": messages.unfilled(row.reason) if row.reason else "",
                "details": messages.unfilled_details(row.facts) if row.reason else [],
            }
        )
    return list(villages.values())


def _plain(score: Decimal | None) -> float | None:
    return None if score is None else float(score)


def plan_as_data(plan: MatchPlan) -> dict[str, Any]:
    """A plan as plain values for programs: village codes, staff numbers, scores and parts as numbers."""
    rows = sorted(plan.assignments.select_related("cadre", "next_best"), key=_in_order)
    provisional = VillageNeed.objects.within(plan.division_id).filter(year=plan.year, provisional=True)
    return {
        "plan": plan.pk,
        "division": plan.division_id,
        "year": plan.year,
        "term": {"start": str(plan.term_start), "end": str(plan.term_end)},
        "posts": plan.posts,
        "filled": plan.filled,
        "priority": {"posts": plan.priority_posts, "filled": plan.priority_filled},
        "candidates": plan.candidates,
        "provisional_villages": sorted(
            provisional.filter(registered_households__gt=0).values_list("village_id", flat=True)
        ),
        "objective": float(plan.objective),
        "bound": float(plan.bound),
        "gap": float(plan.gap),
        "seconds": plan.seconds,
        "assignments": [
            {
                "village": row.village_id,
                "role": row.role,
                "priority": row.priority,
                "cadre": row.cadre.staff_number,
                "score": _plain(row.score),
                "parts": row.parts,
                "next": {
                    "cadre": row.next_best.staff_number,
                    "score": _plain(row.next_score),
                    "swap_cost": _plain(row.swap_cost),
                }
                if row.next_best
                else None,
            }
            for row in rows
            if row.cadre
        ],
        "unfilled": [
            {"village": row.village_id, "role": row.role, "priority": row.priority, "reason": row.reason} | row.facts
            for row in rows
            if not row.cadre
        ],
    }
