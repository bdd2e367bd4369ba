"""Yearly standards as pages read them: which a person may read, which is in force for a county and year."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet

from changde.accounts.areas import between, covers, ranges_of
from changde.divisions.codes import Level, ancestor, level_of
from changde.divisions.models import Division
from households.domain.yearly_standard import Standard
from households.models import StandardRate, YearlyStandard
from households.models.yearly_standard import CITY, RATE_COLUMNS

COMPARED = tuple(name for name in RATE_COLUMNS if name not in ("kind", "item"))


def standards_for(user: Any) -> QuerySet[YearlyStandard]:
    """The city's default and those of the user's counties; drafts only for who may change them."""
    places = Q(division=None)
    for first, last in ranges_of(user, "read_cards"):
        places |= between("division_id", first, last)
        if level_of(first) > Level.COUNTY:
            places |= Q(division=ancestor(first, Level.COUNTY))
    drafts = Q(division=None) if covers(user, "manage_standards", CITY) else Q(pk__in=())
    for first, last in ranges_of(user, "manage_standards"):
        drafts |= between("division_id", first, last)
    return YearlyStandard.objects.filter(places).filter(~Q(state=YearlyStandard.State.DRAFT) | drafts)


def standards_to_release(user: Any) -> QuerySet[YearlyStandard]:
    """Drafts somebody else has put forward, for who may release them."""
    if not user.can("manage_standards"):
        return YearlyStandard.objects.none()
    drafts = standards_for(user).filter(state=YearlyStandard.State.DRAFT, proposed_by__isnull=False)
    return drafts.exclude(proposed_by=user)


def places_of(user: Any) -> list[Division | None]:
    """For whom the user may draft: counties of the area, and None (the city's default) for the city."""
    counties = Q(pk__in=())
    for first, last in ranges_of(user, "manage_standards"):
        counties |= Q(code__range=(first, last))
    found: list[Division | None] = [None] if covers(user, "manage_standards", CITY) else []
    return found + list(Division.objects.current().filter(counties, level=Level.COUNTY).order_by("code"))


def in_force(county: int | None, year: int | None = None) -> dict[int, YearlyStandard]:
    """The standard of each year (or of one): the county's own, else the city's default. Two queries."""
    standards = YearlyStandard.objects.in_force().filter(Q(division=county) | Q(division=None))
    if year is not None:
        standards = standards.filter(year=year)
    own_last = standards.order_by("year", F("division").asc(nulls_first=True)).prefetch_related("rates")
    return {standard.year: standard for standard in own_last.select_related("division")}


def in_force_for(village: int, year: int) -> YearlyStandard | None:
    """What the village's cards of a year are measured by; None where nobody has released one."""
    return in_force(ancestor(village, Level.COUNTY), year).get(year)


def standard_of(village: int, year: int) -> Standard | None:
    """The same, as domain.yearly_standard counts with it."""
    found = in_force_for(village, year)
    return found.plain() if found else None


@dataclass(frozen=True)
class Difference:
    """An item of one standard against the other: `before` None is new, `after` None is gone."""

    before: StandardRate | None
    after: StandardRate | None

    @property
    def item(self) -> StandardRate:
        return self.after or self.before  # type: ignore[return-value]


def differences(before: YearlyStandard, after: YearlyStandard) -> list[Difference]:
    """The items that differ, in the order of `after`; those that are gone come last."""
    old = {(rate.kind, rate.item): rate for rate in before.rates.all()}
    found = []
    for rate in after.rates.all():
        was = old.pop((rate.kind, rate.item), None)
        if was is None or any(getattr(was, name) != getattr(rate, name) for name in COMPARED):
            found.append(Difference(was, rate))
    return found + [Difference(rate, None) for rate in old.values()]


def compared_with(standard: YearlyStandard) -> YearlyStandard | None:
    """What a standard is held against: the one its place had before it, else what it was copied from."""
    earlier = YearlyStandard.objects.filter(division=standard.division_id, released_at__isnull=False).exclude(
        pk=standard.pk
    )
    same_year = earlier.filter(year=standard.year, number__lt=standard.number).order_by("-number").first()
    return same_year or earlier.filter(year__lt=standard.year).order_by("-year", "-number").first() or standard.based_on
