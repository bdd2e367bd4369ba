"""Index versions as pages read them: which a person may read, which is in force, what a version is held against."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet

from changde.accounts.areas import between, covers, ranges_of
from changde.divisions.codes import Level, ancestor, level_of
from changde.divisions.models import Division
from households.domain.income import to_yuan
from households.models import IndexVersion
from households.models.yearly_standard import CITY

State = IndexVersion.State


def versions_of(user: Any, capability: str = "read_index") -> QuerySet[IndexVersion]:
    """The city's default and those of the user's counties; drafts only for who makes them, discarded for nobody."""
    frozen = Q(state__in=IndexVersion.FROZEN) & _places(user, capability)
    return _named(frozen | (_managed(user) & ~Q(state=State.DISCARDED)))


def managed_versions(user: Any) -> QuerySet[IndexVersion]:
    """All of the places whose versions the user makes; discarded drafts too."""
    return _named(_managed(user))


def released_versions(user: Any, capability: str) -> QuerySet[IndexVersion]:
    """In force or superseded: what a result may name."""
    return _named(_places(user, capability) & Q(state__in=(State.RELEASED, State.SUPERSEDED)))


def _named(which: Q) -> QuerySet[IndexVersion]:
    return IndexVersion.objects.filter(which).select_related(
        "division", "created_by", "changed_by", "proposed_by", "returned_by", "released_by", "cancelled_by"
    )


def _places(user: Any, capability: str) -> Q:
    ranges = ranges_of(user, capability)
    places = Q(division=None) if ranges else Q(pk__in=())
    for first, last in ranges:
        places |= between("division_id", first, last)
        if level_of(first) > Level.COUNTY:
            places |= Q(division=ancestor(first, Level.COUNTY))
    return places


def _managed(user: Any) -> Q:
    places = Q(division=None) if covers(user, "manage_index", CITY) else Q(pk__in=())
    for first, last in ranges_of(user, "manage_index"):
        places |= between("division_id", first, last)
    return places


def may_manage(user: Any, version: IndexVersion) -> bool:
    return covers(user, "manage_index", version.division_id or CITY)


def versions_to_release(user: Any) -> QuerySet[IndexVersion]:
    """Versions somebody else has put forward, for who may release them."""
    if not user.can("manage_index"):
        return IndexVersion.objects.none()
    return managed_versions(user).filter(state=State.PROPOSED).exclude(proposed_by=user)


def returned_versions(user: Any) -> QuerySet[IndexVersion]:
    """Drafts that were sent back with a reason, for their office."""
    if not user.can("manage_index"):
        return IndexVersion.objects.none()
    return managed_versions(user).filter(state__in=IndexVersion.OPEN, returned_at__isnull=False)


def places_of(user: Any) -> list[Division | None]:
    """For whom the user may draft: counties of the area, and None (the city's default) for the city."""
    counties = Q(pk__in=())
    for first, last in ranges_of(user, "manage_index"):
        counties |= Q(code__range=(first, last))
    found: list[Division | None] = [None] if covers(user, "manage_index", CITY) else []
    return found + list(Division.objects.current().filter(counties, level=Level.COUNTY).order_by("code"))


def sources_of(user: Any) -> list[IndexVersion]:
    """What a draft may be copied from, the likeliest first: in force, older, cancelled; late years first."""
    own_first = F("division").asc(nulls_last=True)
    frozen = list(versions_of(user).filter(state__in=IndexVersion.FROZEN).order_by("-year", own_first, "-number"))
    return sorted(frozen, key=lambda version: (version.state == State.CANCELLED, version.state != State.RELEASED))


@dataclass(frozen=True)
class Year:
    """A year of the overview: the version that rules the place, what it has waiting, what ruled before."""

    year: int
    ruling: IndexVersion | None
    own: bool
    waiting: list[IndexVersion]
    before: list[IndexVersion]

    @property
    def income_line(self) -> Decimal | None:
        """Yuan a person and year."""
        return to_yuan(self.ruling.system.income_line) if self.ruling else None

    @property
    def monitoring_line(self) -> Decimal | None:
        return to_yuan(self.ruling.system.monitoring_line) if self.ruling else None


def years(user: Any, county: int | None, year: int | None = None) -> list[Year]:
    """The years of a county (None: the city's default), the latest first. One query."""
    place = Q(division=None) if county is None else Q(division=None) | Q(division=county)
    shown = versions_of(user).filter(place)
    found = list((shown.filter(year=year) if year else shown).order_by("-year", "-number"))
    return [
        _year(number, county, [v for v in found if v.year == number]) for number in dict.fromkeys(v.year for v in found)
    ]


def _year(year: int, county: int | None, versions: list[IndexVersion]) -> Year:
    own = [version for version in versions if version.division_id == county]
    released = {version.division_id: version for version in versions if version.state == State.RELEASED}
    return Year(
        year=year,
        ruling=released.get(county) or released.get(None),
        own=county in released,
        waiting=[v for v in own if v.state in (*IndexVersion.OPEN, State.PROPOSED, State.SCHEDULED)],
        before=[v for v in own if v.state in (State.SUPERSEDED, State.CANCELLED)],
    )


def ruling(division: int | None, year: int) -> IndexVersion | None:
    """The version in force for a county (None: the city's default) and year."""
    versions = IndexVersion.objects.in_force().filter(Q(division=division) | Q(division=None), year=year)
    return versions.select_related("division").order_by(F("division").asc(nulls_last=True)).first()


def compared_with(version: IndexVersion) -> IndexVersion | None:
    """What a version is held against: the one in force for its place and year; for that one itself, and for an older
    one, the one it followed, else what it was copied from."""
    if version.state in (State.RELEASED, State.SUPERSEDED):
        same = IndexVersion.objects.filter(division=version.division_id, year=version.year, number__lt=version.number)
        earlier = same.filter(state=State.SUPERSEDED).select_related("division").order_by("-number").first()
        return earlier or version.based_on
    return ruling(version.division_id, version.year) or version.based_on
