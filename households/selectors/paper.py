"""Cards as they are printed: everything of a batch of cards in a handful of queries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from changde.divisions.models import Division
from households.domain.card import Member
from households.models import Finding, Household, MemberSheet, Printout, Result, Sheet
from households.models.household import HouseholdStatus
from households.objection_periods import ObjectionPeriod, objection_periods
from households.selectors.cards import Reader, flags_of

REGISTERED = (
    HouseholdStatus.REGISTERED,
    HouseholdStatus.EXITED,
    HouseholdStatus.MONITORED,
    HouseholdStatus.RETURNED,
)


@dataclass(frozen=True)
class PaperCard:
    """One card of one year. `sheet` is None when the year was never entered, `result` when it was not worked out.
    `periods` are those in which one may object to the lists of its village."""

    household: Household
    way: list[Division]
    year: int | None
    sheet: Sheet | None
    members: list[tuple[MemberSheet, int | None]]
    result: Result | None
    flags: list[str]
    periods: list[ObjectionPeriod]


def paper_cards(user: Reader, households: Sequence[Household], year: int | None) -> list[PaperCard]:
    """The cards in the order given; the caller has checked that they may be read."""
    sheets = {row.household_id: row for row in Sheet.objects.filter(household__in=households, year=year or 0)}
    members = defaultdict(list)
    for row in MemberSheet.objects.filter(sheet__in=sheets.values()).select_related("person", "sheet"):
        members[row.sheet.household_id].append((row, Member(birth_date=row.person.birth_date).age_in(year)))
    results = Result.objects.filter(household__in=households, year=year or 0).current().select_related("version")
    found = {row.household_id: row for row in results}
    findings = defaultdict(list)
    for finding in Finding.objects.visible_to(user).open().filter(household__in=households):
        findings[finding.household_id].append(finding)
    periods = objection_periods(households, year) if year else {}
    ways = {village.pk: village.path() for village in {household.village for household in households}}
    return [
        PaperCard(
            household=household,
            way=ways[household.village_id],
            year=year,
            sheet=sheets.get(household.pk),
            members=members[household.pk],
            result=found.get(household.pk),
            flags=flags_of(found.get(household.pk), findings[household.pk]),
            periods=periods.get(household.pk, []),
        )
        for household in households
    ]


def cards_to_print(user: Reader, village: int, kind: str) -> QuerySet[Household]:
    """The open cards of a village the user may read, by group and head: the order of the paper files."""
    cards = Household.objects.visible_to(user).within(village).open().select_related("village")
    if kind == Printout.Kind.REGISTERED:
        cards = cards.filter(status__in=REGISTERED)
    return cards.order_by("group", "head_pinyin", "pk")


def printouts_of(user: Reader) -> QuerySet[Printout]:
    """One's own printouts, the latest first, without their files."""
    return Printout.objects.visible_to(user).without_file().select_related("job", "owner")
