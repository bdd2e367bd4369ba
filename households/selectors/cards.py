"""Cards as pages read them: the list of an area, one card in one year."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Max, Q, QuerySet
from django.shortcuts import get_object_or_404

from changde.accounts.areas import ranges_of
from changde.accounts.models import User
from changde.divisions.models import Division
from households.models import Finding, Household, MemberSheet, Membership, Result, Sheet
from households.selectors.findings import without_leads, without_office_only

Reader = User | AnonymousUser


def cards_in(user: Reader, division: Division | None) -> QuerySet[Household]:
    """Cards the user may see, narrowed to a division; villages come along, in a query of their own.

    Joined, they would tempt the planner to sort by the key of divisions instead of walking the index of cards.
    """
    cards = Household.objects.visible_to(user)
    if division is not None:
        cards = cards.within(division.code)
    return cards.prefetch_related("village")


def latest_year(user: Reader, division: Division | None = None) -> int | None:
    """The latest accounting year that has sheets in the user's area, or in a division of it.

    Asks year by year from the last one of all: a single maximum over a city's sheets would read every one of them.
    """
    sheets = Sheet.objects.visible_to(user)
    if division is not None:
        sheets = sheets.within(division.code)
    year = Sheet.objects.aggregate(year=Max("year"))["year"]
    while year is not None and not sheets.filter(year=year).exists():
        year = Sheet.objects.filter(year__lt=year).aggregate(year=Max("year"))["year"]
    return year


def groups_of(user: Reader, village: Division) -> list[str]:
    """The groups of a village that have cards."""
    groups = Household.objects.visible_to(user).within(village.code).exclude(group="").order_by("group")
    return list(groups.values_list("group", flat=True).distinct())


def with_year(cards: Iterable[Household], year: int | None) -> list[Household]:
    """The cards of one page, each with `sheet` and `result` of `year`, or None, and its `flags` (three queries)."""
    cards = list(cards)
    sheets = {row.household_id: row for row in Sheet.objects.filter(household__in=cards, year=year or 0)}
    results = Result.objects.filter(household__in=cards, year=year or 0).current()
    found = {row.household_id: row for row in results}
    blocked = Finding.objects.open().filter(household__in=cards, blocks=True)
    findings = {row.household_id: [row] for row in blocked}
    for card in cards:
        card.sheet, card.result = sheets.get(card.pk), found.get(card.pk)  # type: ignore[attr-defined]
        card.flags = flags_of(card.result, findings.get(card.pk, []))  # type: ignore[attr-defined]
    return cards


def flags_of(result: Result | None, findings: Iterable[Finding], *, blocked: bool = False) -> list[str]:
    """What stands beside the outcome (domain: outcome and flags)."""
    flags = [name for name in ("guarantee_gap", "excluded", "stale") if result and getattr(result, name)]
    return [*flags, "verify"] if blocked or any(finding.blocks for finding in findings) else flags


@dataclass(frozen=True)
class CardPage:
    """One card in one accounting year, as its page shows it. `sheet` is None when no year was entered yet."""

    household: Household
    way: list[Division]
    years: list[int]
    sheet: Sheet | None
    members: list[MemberSheet]
    gone: list[Membership]
    findings: list[Finding]
    result: Result | None
    blocked: bool = False

    @property
    def flags(self) -> list[str]:
        """What stands beside the outcome. That something is open is no secret, what it is may be (leads)."""
        return flags_of(self.result, self.findings, blocked=self.blocked)


def card_of(user: Reader, household_id: int) -> Household:
    """The card, or 404 for absent and for not yours alike."""
    return get_object_or_404(Household.objects.visible_to(user).select_related("village"), pk=household_id)


def card_page(user: Reader, household: Household, year: int | None = None) -> CardPage:
    """Everything on the card's page; the latest year when none (or an unknown one) is named."""
    years = list(household.sheets.order_by("-year").values_list("year", flat=True))
    if year not in years:
        year = years[0] if years else None
    sheet = Sheet.objects.filter(household=household, year=year).first() if year else None
    members = list(sheet.members.select_related("person")) if sheet else []
    gone = list(household.memberships.exclude(until=None).select_related("person").order_by("-until", "pk"))
    opened = Finding.objects.visible_to(user).open().filter(household=household).select_related("person").order_by("pk")
    blocked = any(finding.blocks for finding in opened)
    findings = without_office_only(user, without_leads(opened))
    result = Result.objects.filter(household=household, year=year).current().first() if year else None
    return CardPage(household, household.village.path(), years, sheet, members, gone, findings, result, blocked)


def below(division: Division) -> list[Division]:
    """The divisions one step down, for the filter of a list."""
    return list(Division.objects.current().filter(parent=division).order_by("code"))


def villages_of(user: Reader, capability: str) -> list[Division]:
    """The villages where the user may do `capability`."""
    scope = Q()
    for first, last in ranges_of(user, capability):
        scope |= Q(code__range=(first, last))
    return list(Division.objects.current().villages().filter(scope).order_by("code")) if scope else []
