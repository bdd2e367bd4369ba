"""Leads as the desk, the card's panel and the home page read them: what the person may see and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.divisions.codes import Level, level_of
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from households.domain.priority import Said, expected_precision, weight_of, wilson
from households.domain.status_leads import NOT_COUNTED
from households.models import Finding, Household, HouseholdStatus, LeadRule, Result

Kind = Finding.Kind
GROUPS: Mapping[str, Sequence[str]] = {
    "outcome": (
        Kind.LEFT_OUT, Kind.RETURNED, Kind.SUDDEN_HARDSHIP, Kind.MARGINAL, Kind.UNSTABLE, Kind.CLINGING, Kind.EXIT_DUE,
        Kind.GUARANTEE_GAP,
    ),
    "registers": (
        Kind.DECEASED, Kind.VEHICLE, Kind.REAL_ESTATE, Kind.PUBLIC_PAYROLL, Kind.COMPANY, Kind.MEDICAL, Kind.SCHOOL,
        Kind.DISABILITY, Kind.DIBAO, Kind.INSURANCE,
    ),
    "favor": (
        Kind.KIN, Kind.INCOME_IMPLAUSIBLE, Kind.PAPER_SPLIT, Kind.BUNCHING, Kind.DIGIT_PREFERENCE, Kind.TYPING_SPEED,
        Kind.VILLAGE_RATE,
    ),
}  # fmt: skip
STATES = ("open", "late", "week", "visited", "decided")
WEEK = timedelta(days=7)  # due today or in the six days after it
OFFICE, AREA, MINE = WHOSE = ("office", "area", "mine")
COUNTED = 999
ORDER = ("doubt", "due_on", "village_id", "pk")


@dataclass(frozen=True)
class Chosen:
    """What the desk shows. `kind`: a kind or a group, empty: all; `find`: a household number or how a head's name
    begins; `status`: of the household, `within`: the code of a division inside the area, 0: all of it."""

    state: str = "open"
    kind: str = ""
    whose: str = AREA
    find: str = ""
    status: str = ""
    within: int = 0

    @property
    def order(self) -> tuple[str, ...]:
        return ("-decided_at", "-pk") if self.state == "decided" else ORDER


def state_names() -> dict[str, str]:
    return {
        "open": _("待办"), "late": _("超期"), "week": _("一周内到期"), "visited": _("已走访"), "decided": _("已办结"),
    }  # fmt: skip


def kept_lead_query(parameters: QueryDict) -> str:
    """The part of the desk's address that is worth keeping under a name: never the search, never the page."""
    query = QueryDict(mutable=True)
    kinds = (*GROUPS, *Finding.LEADS)
    for name, known in (("state", STATES), ("kind", kinds), ("whose", WHOSE), ("status", HouseholdStatus.values)):
        value = str(parameters.get(name, ""))
        if value in known:
            query[name] = value
    within = str(parameters.get("within", ""))
    if len(within) == 12 and within.isascii() and within.isdecimal():
        query["within"] = within
    return query.urlencode()


def offices_of(user: User) -> list[int]:
    """The offices whose queue is the person's own: townships and counties."""
    own = [post.division_id for post in user.open_posts if user.can("work_leads")]
    return [code for code in own if level_of(code) in (Level.COUNTY, Level.TOWNSHIP)]


def queue(user: User, *, within: int | None, chosen: Chosen, capability: str = "read_leads") -> "QuerySet[Finding]":
    """The leads of an area (within) that the person may see, as chosen; not ordered."""
    leads = Finding.objects.leads_visible_to(user, capability)
    if within:
        leads = leads.within(within)
    if chosen.within:
        leads = leads.within(chosen.within)
    if chosen.status:
        leads = leads.filter(household__status=chosen.status)
    if chosen.kind in GROUPS:
        leads = leads.filter(kind__in=GROUPS[chosen.kind])
    elif chosen.kind:
        leads = leads.filter(kind=chosen.kind)
    if chosen.whose == OFFICE:
        leads = leads.filter(owner__in=offices_of(user))
    elif chosen.whose == MINE:
        leads = leads.filter(Q(visited_by=user) | Q(decided_by=user))
    if chosen.find:
        by_number = Q(household__number=chosen.find)
        leads = leads.filter(by_number | Q(household__head_name__startswith=chosen.find))
    return _in_state(leads, chosen.state).select_related("household", "village", "person")


def _in_state(leads: Any, state: str) -> Any:
    if state == "decided":
        return leads.filter(decision__in=("confirmed", "dismissed"))
    leads = leads.open()
    if state == "late":
        return leads.filter(due_on__lt=timezone.localdate())
    if state == "week":
        return _due_this_week(leads)
    return leads.filter(visited_on__isnull=False) if state == "visited" else leads


def _due_this_week(leads: Any) -> Any:
    today = timezone.localdate()
    return leads.filter(due_on__gte=today, due_on__lt=today + WEEK)


def page_of(leads: Any, chosen: Chosen, parameters: Mapping[str, Any]) -> KeysetPage:
    return KeysetPage(leads, parameters, order=chosen.order)


def after(leads: Any, lead: Finding) -> Finding | None:
    """The next case of the open queue, else its first."""
    here = {"doubt": lead.doubt, "due_on": lead.due_on, "village_id": lead.village_id, "pk": lead.pk}
    beyond, same = Q(), Q()
    for name, value in here.items():
        beyond |= same & Q(**{f"{name}__gt": value})
        same &= Q(**{name: value})
    ordered = leads.exclude(pk=lead.pk).order_by(*ORDER)
    return ordered.filter(beyond).first() or ordered.first()


def counted(leads: Any) -> str:
    """How many, not counting on above COUNTED."""
    return counted_text(leads.order_by()[: COUNTED + 1].count())


def counted_text(number: int) -> str:
    return f"{COUNTED}+" if number > COUNTED else str(number)


@dataclass(frozen=True)
class Part:
    """What one open lead of a household adds to its priority."""

    lead: Finding
    weight: float
    share: float

    @property
    def is_learnt(self) -> bool:
        """Has the weight moved by decisions?"""
        return abs(self.weight - expected_precision().get(self.lead.kind, self.weight)) > 0.0005


def parts_of(user: User, household: int) -> list[Part]:
    """The open leads of a household that the person may see, the strongest first (two queries)."""
    leads = list(
        Finding.objects.leads_visible_to(user).open().filter(household=household).select_related("person", "owner")
    )
    rules = {(row.kind, row.code): row.weight for row in LeadRule.objects.filter(kind__in={one.kind for one in leads})}
    parts = []
    for lead in leads:
        weight = rules.get((lead.kind, lead.code), weight_of(lead.kind))
        parts.append(Part(lead, weight, Said(lead.kind, lead.code, lead.score or 0, weight).share))
    return sorted(parts, key=lambda part: (-part.share, part.lead.pk))


def result_of(household: Household, year: int | None) -> Result | None:
    """What the household's card said in the lead's year, else its latest result."""
    results = Result.objects.filter(household=household).current().select_related("version")
    return results.filter(year=year or 0).first() or results.order_by("-year").first()


@dataclass(frozen=True)
class Waiting:
    """Of one's own office: how many in all, late and due within a week (each up to COUNTED + 1), since when the oldest;
    the first due date of all, of those due within the week and of those due later."""

    count: int = 0
    since: datetime | None = None
    late: int = 0
    week: int = 0
    due: date | None = None
    week_due: date | None = None
    later_due: date | None = None


def waiting(user: User, within: int) -> Waiting:
    """For the home page: leads that wait in the person's own office, read from the office's index and no further."""
    own = offices_of(user)
    leads = Finding.objects.leads_visible_to(user, "work_leads").within(within).open().filter(owner__in=own)
    found = list(leads.order_by("due_on", "pk").values_list("found_at", "due_on")[: COUNTED + 1]) if own else []
    if not found:
        return Waiting()
    today = timezone.localdate()
    days = [due for _found, due in found if due is not None]
    late, soon = (sum(due < before for due in days) for before in (today, today + WEEK))
    week = soon - late
    if soon > COUNTED:  # read no further than into the week
        week = _due_this_week(leads).order_by()[: COUNTED + 1].count()
    due_from = {place: days[place] if place < len(days) else None for place in (late, soon)}
    return Waiting(
        count=len(found),
        since=min(at for at, _due in found),
        late=late,
        week=week,
        due=days[0],
        week_due=due_from[late] if week else None,
        later_due=due_from[soon],
    )


# -- right and wrong ------------------------------


@dataclass(frozen=True)
class RuleFigures:
    """The leads of one rule opened in a time and an area. `closed`: said no more before anybody decided; `took`: median
    from opening to decision."""

    kind: str
    code: str
    opened: int
    open: int
    late: int
    confirmed: int
    dismissed: int
    closed: int
    took: timedelta | None

    @property
    def decided(self) -> int:
        return self.confirmed + self.dismissed

    @property
    def precision(self) -> float | None:
        return self.confirmed / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.confirmed, self.decided)

    @property
    def days(self) -> float | None:
        return self.took.total_seconds() / 86400 if self.took is not None else None


class _Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def figures(user: User, *, within: int | None, since: date | None, until: date | None) -> list[RuleFigures]:
    """One row a rule, over the leads the person may see that were opened in the time (both days inclusive)."""
    rows = _figures(user, ("kind", "code"), within=within, since=since, until=until)
    order = {kind: place for place, kind in enumerate(kind for kinds in GROUPS.values() for kind in kinds)}
    found = [RuleFigures(**row) for row in rows]
    return sorted(found, key=lambda row: (order.get(row.kind, len(order)), row.code))


def figures_by_area(
    user: User, *, within: int, since: date | None, until: date | None
) -> list[tuple[Division, RuleFigures]]:
    """The same by the divisions one step below, all rules together but those that are listed apart."""
    span = 1_000_000 if level_of(within) == Level.CITY else 1000 if level_of(within) == Level.COUNTY else 1
    rows = list(_figures(user, ("area",), within=within, since=since, until=until, span=span))
    places = Division.objects.in_bulk([row["area"] * span for row in rows])
    return [
        (places[row.pop("area") * span], RuleFigures(kind="", code="", **row))
        for row in sorted(rows, key=lambda row: row["area"])
    ]


def _figures(
    user: User, by: tuple[str, ...], *, within: int | None, since: date | None, until: date | None, span: int = 1
) -> Any:
    leads = Finding.objects.leads_visible_to(user).annotate(area=F("village_id") / span)
    if "area" in by:
        leads = leads.exclude(code__in=NOT_COUNTED)
    if within:
        leads = leads.within(within)
    if since:
        leads = leads.filter(found_at__gte=_midnight(since))
    if until:
        leads = leads.filter(found_at__lt=_midnight(until + timedelta(days=1)))
    decided = Q(decision__in=("confirmed", "dismissed"))
    took = ExpressionWrapper(F("decided_at") - F("found_at"), output_field=DurationField())
    return leads.order_by().values(*by).annotate(
        opened=Count("pk"),
        open=Count("pk", filter=Q(decided_at=None)),
        late=Count("pk", filter=Q(decided_at=None, due_on__lt=timezone.localdate())),
        confirmed=Count("pk", filter=Q(decision="confirmed")),
        dismissed=Count("pk", filter=Q(decision="dismissed")),
        closed=Count("pk", filter=Q(decided_at__isnull=False) & ~decided),
        took=_Median(took, filter=decided),
    )  # fmt: skip


def total_of(rows: Sequence[RuleFigures]) -> RuleFigures:
    """All rules together; the median of medians says nothing and is left out."""
    names = ("opened", "open", "late", "confirmed", "dismissed", "closed")
    sums = {name: sum(getattr(row, name) for row in rows) for name in names}
    return RuleFigures(kind="", code="", took=None, **sums)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
