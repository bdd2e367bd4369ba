"""Publicity lists as offices and the public see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.divisions.codes import Level, level_of
from changde.divisions.models import Division
from households.models import Household, Sheet
from households.objection_periods import ObjectionPeriod
from supervision.domain import publicity
from supervision.domain.publicity import FIRST, SECOND, Period, allows, may_post, period
from supervision.domain.snapshot import Content, parse
from supervision.models import ListEntry, Objection, PublicityList
from supervision.models.publicity import PublicityListQuerySet
from supervision.services.lists import place_of

Viewer = User | AnonymousUser

FILTERS = ("draft", "shown", "ended")


def lists(user: Viewer, *, within: int | None = None, state: str = "", step: str = "") -> "QuerySet[PublicityList]":
    """Lists the person may see, with `households` on them and `open_objections`; one query."""
    found = PublicityList.objects.visible_to(user)
    if within:
        found = found.within(within)
    if step:
        found = found.filter(step=step)
    if state == "draft":
        found = found.drafts()
    elif state == "shown":
        found = found.shown(timezone.now())
    elif state == "ended":
        found = found.ended(timezone.now())
    return found.select_related("village__parent", "snapshot", "correction", "drafted_by").annotate(
        households=_count(ListEntry.objects.included()), open_objections=_count(Objection.objects.open())
    )


def _count(rows: QuerySet) -> Coalesce:
    """How many of `rows` belong to the list, without joining them to it."""
    counted = rows.filter(publicity_list=OuterRef("pk")).order_by().values("publicity_list").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)


def list_of(user: Viewer, pk: int) -> PublicityList:
    """One list with what its page needs. Raises DoesNotExist for what is absent and for what is not the person's."""
    found = PublicityList.objects.visible_to(user).select_related(
        "village__parent",
        "snapshot__posted_by",
        "correction__snapshot",
        "drafted_by",
        "first__snapshot",
        "corrects__snapshot",
    )
    return found.get(pk=pk)


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of a list: on it, in the order they stand or will stand, and held back or left out."""

    included: Sequence[ListEntry]
    held_back: Sequence[ListEntry]


def entries(user: Viewer, listed: PublicityList) -> Entries:
    """One query; each entry carries `cause`, the main cause on the sheet of the year."""
    cause = Sheet.objects.filter(household=OuterRef("household"), year=listed.year).values("main_cause")[:1]
    found = list(
        ListEntry.objects.visible_to(user)
        .filter(publicity_list=listed)
        .select_related("household", "left_out_by", "cleared_by")
        .annotate(cause=Coalesce(Subquery(cause), Value("")))
    )
    found.sort(key=place_of)
    return Entries([entry for entry in found if entry.included], [entry for entry in found if not entry.included])


@dataclass(frozen=True, slots=True)
class Choices:
    """What this person may do with the list now. `own` explains a missing post button: somebody else has to."""

    edit: bool = False
    clear: bool = False
    discard: bool = False
    post: bool = False
    own: bool = False
    correct: bool = False
    follow: bool = False
    period: Period | None = None


def choices(user: User, listed: PublicityList, now: datetime) -> Choices:
    """For the buttons alone: the services decide again."""
    first = listed.step == FIRST
    makes = covers(user, "make_village_list" if first else "make_township_list", listed.village_id)
    posts = covers(user, "post_village_list" if first else "post_township_list", listed.village_id)
    state = listed.state(now)
    if state == publicity.DRAFT:
        earlier = _first_hands(listed)
        mine = may_post(listed.step, user.pk, listed.drafted_by_id, earlier)
        return Choices(
            edit=makes and user.pk == listed.drafted_by_id,
            clear=user.pk != listed.drafted_by_id and covers(user, "make_township_list", listed.village_id),
            discard=makes,
            post=posts and mine,
            own=posts and not mine,
            period=period(now, listed.days),
        )
    seconds = first and same_round(listed, SECOND).exists()
    return Choices(
        correct=makes
        and allows(publicity.CORRECT, state)
        and not seconds
        and not PublicityList.objects.filter(corrects=listed).exists(),
        follow=first
        and not seconds
        and allows(publicity.FOLLOW, state)
        and covers(user, "make_township_list", listed.village_id),
    )


def _first_hands(listed: PublicityList) -> set[int]:
    """Who made or posted the first lists a second one rests on."""
    if listed.step == FIRST:
        return set()
    pairs = same_round(listed, FIRST).posted().values_list("drafted_by_id", "snapshot__posted_by_id")
    return {hand for pair in pairs for hand in pair}


def same_round(listed: PublicityList, step: str) -> PublicityListQuerySet:
    """All lists of the village, year and step: the first try and its corrections."""
    return PublicityList.objects.filter(village=listed.village_id, year=listed.year, step=step)


def chain(user: Viewer, listed: PublicityList) -> "QuerySet[PublicityList]":
    """Posted lists of the village, in their numbers."""
    return (
        PublicityList.objects.visible_to(user)
        .posted()
        .filter(village=listed.village_id)
        .select_related("snapshot", "correction")
        .order_by("number")
    )


def round_to_begin(user: User, village: Division) -> int | None:
    """The year for which this person can draft the village's first list now: the latest with sheets, not begun yet."""
    if level_of(village.code) != Level.VILLAGE or not covers(user, "make_village_list", village.code):
        return None
    year = (
        Sheet.objects.visible_to(user).filter(village=village).order_by("-year").values_list("year", flat=True).first()
    )
    begun = PublicityList.objects.filter(village=village, year=year, step=FIRST).exists()
    return None if begun else year


# --- work that waits ------------------------------------------------------------------------------


def drafts_to_post(user: User) -> "QuerySet[PublicityList]":
    """Drafts that somebody else made and this person may post."""
    first = PublicityList.objects.visible_to(user, "post_village_list").filter(step=FIRST)
    second = PublicityList.objects.visible_to(user, "post_township_list").filter(step=SECOND)
    return (first | second).drafts().exclude(drafted_by=user).select_related("village")


def lists_to_correct(user: User) -> "QuerySet[PublicityList]":
    """Posted lists of this person's step with an upheld objection and no correction begun."""
    first = PublicityList.objects.visible_to(user, "make_village_list").filter(step=FIRST)
    second = PublicityList.objects.visible_to(user, "make_township_list").filter(step=SECOND)
    upheld = Objection.objects.upheld().filter(publicity_list=OuterRef("pk"), decided_at__gt=OuterRef("drafted_at"))
    return (first | second).posted().filter(Exists(upheld), correction=None).select_related("village")


def firsts_to_follow(user: User) -> "QuerySet[PublicityList]":
    """First lists of the person's area whose period ended and that have no second list yet."""
    begun = PublicityList.objects.filter(village=OuterRef("village"), year=OuterRef("year"), step=SECOND).values("pk")
    return (
        PublicityList.objects.visible_to(user, "make_township_list")
        .ended(timezone.now())
        .filter(step=FIRST)
        .annotate(second=Subquery(begun[:1]))
        .filter(second=None)
        .select_related("village", "snapshot")
    )


# --- public ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Public:
    """A posted list as everybody may see it. `content` is None once names are shown no more."""

    listed: PublicityList
    state: str
    content: Content | None
    can_object: bool

    @property
    def period(self) -> Period:
        assert self.listed.period is not None
        return self.listed.period


def public_list(public_id: str) -> Public:
    """Reads the snapshot alone. Raises DoesNotExist for a draft as for an unknown address."""
    listed = (
        PublicityList.objects.posted()
        .select_related("snapshot", "correction", "village__parent__parent")
        .get(public_id=public_id)
    )
    state = listed.state(timezone.now())
    shown = allows(publicity.SHOW, state)
    return Public(listed, state, parse(listed.snapshot.text) if shown else None, allows(publicity.OBJECT, state))


@dataclass(frozen=True, slots=True)
class PublicIndex:
    """Lists that are shown now: divisions one level down that have some, or the lists of a village or of a search."""

    area: Division | None
    way: Sequence[Division]
    below: Sequence[tuple[Division, int]]
    lists: Sequence[PublicityList]


_PUBLIC_MAXIMUM = 200


def public_index(*, code: int | None, words: str = "") -> PublicIndex:
    """What is posted now, by division or by words of a village's, township's or county's name."""
    shown = PublicityList.objects.shown(timezone.now()).select_related("village__parent__parent", "snapshot")
    area = Division.objects.filter(code=code).first() if code else None
    if words:
        villages = Division.objects.filter(level=Level.VILLAGE, name__contains=words)
        places = list(villages.values_list("code", flat=True))
        above = Division.objects.filter(level__in=(Level.COUNTY, Level.TOWNSHIP), name__contains=words)
        for division in above:
            places += shown.within(division.code).values_list("village_id", flat=True)
        return PublicIndex(None, [], [], _sorted(shown.filter(village__in=set(places))))
    if area and area.level in (Level.TOWNSHIP, Level.VILLAGE):
        return PublicIndex(area, _way(area), [], _sorted(shown.within(area.code)))
    if area and area.level == Level.COUNTY:
        return PublicIndex(area, _way(area), _below(shown.within(area.code), Level.TOWNSHIP), [])
    return PublicIndex(None, [], _below(shown, Level.COUNTY), [])


def _sorted(shown: "QuerySet[PublicityList]") -> Sequence[PublicityList]:
    return list(shown.order_by("village__parent__parent", "village__parent", "village__pinyin", "-number"))[
        :_PUBLIC_MAXIMUM
    ]


def _way(area: Division) -> Sequence[Division]:
    return [division for division in area.path() if division.level != Level.CITY]


def _below(shown: "QuerySet[PublicityList]", level: Level) -> Sequence[tuple[Division, int]]:
    """Divisions of `level` with the number of lists shown in them, in the order of their codes."""
    path = "village__parent" if level == Level.TOWNSHIP else "village__parent__parent"
    counts = dict(shown.order_by().values_list(path).annotate(Count("pk")))
    divisions = Division.objects.filter(code__in=counts).order_by("code")
    return [(division, counts[division.code]) for division in divisions]


def objection_periods(households: Sequence[Household], year: int) -> dict[int, list[ObjectionPeriod]]:
    """The standing lists of the households' villages and year as the households' own pages tell them (two queries)."""
    now = timezone.now()
    villages = {household.village_id for household in households}
    found = PublicityList.objects.standing().filter(village__in=villages, year=year)
    rows = list(found.select_related("village__parent", "snapshot").order_by("snapshot__ends_at", "pk"))
    shown = [row.pk for row in rows if row.snapshot.ends_at > now]
    entries = ListEntry.objects.included().filter(publicity_list__in=shown, household__in=households)
    listed = set(entries.values_list("publicity_list_id", "household_id")) if shown else set()
    return {
        household.pk: [
            _objection_period(row, (row.pk, household.pk) in listed if row.pk in shown else None)
            for row in rows
            if row.village_id == household.village_id
        ]
        for household in households
    }


def _objection_period(row: PublicityList, listed: bool | None) -> ObjectionPeriod:
    township = row.village.parent
    return ObjectionPeriod(
        what=row.get_step_display(),
        begins=row.snapshot.starts_at.astimezone(publicity.SHANGHAI).date(),
        last_day=row.snapshot.period.last_day.astimezone(publicity.SHANGHAI).date(),
        over=listed is None,
        listed=listed,
        address=settings.PUBLIC_URL + reverse("public:list", args=[row.public_id]),
        place=township.name if township else row.village.name,
    )
