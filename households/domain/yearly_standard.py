"""The county's yearly standard: what a mu, a head and a day of work bring, and how far a declared amount is from it.

Rates are fen of gross value a mu (crop), a head (animal) or a day (wage), from low to high. An expected amount is a
range; it only points at lines to ask about and decides nothing. Integer fen; where a part of a mu makes a part of a
fen, the range is widened to whole fen. The worked example is in docs/worksheet.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

from households.domain.income import EXPENSES
from households.domain.worksheet import ANIMAL, CROP, PART_OF, WAGE, IncomeLine

RATED = (CROP, ANIMAL, WAGE)
DRY_LAND = "dry_land"  # cultivated land without irrigation
# What of a card may propose a line: fields of the sheet, and the place of work for wages.
LAND = ("irrigated_land", DRY_LAND, "orchard", "forest_land", "pasture", "water_surface")
HERDS = ("pigs", "cattle", "sheep", "poultry")


class Distance(StrEnum):
    """Where a declared amount stands to the expected range; far is outside by more than the tolerance."""

    WITHIN = "within"
    LOW = "low"
    HIGH = "high"
    FAR = "far"


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high` fen, both inclusive."""

    low: int
    high: int

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Rate:
    """One item. `net_*` is what is left after costs; `proposed_by` the land or herd that proposes a line of it."""

    kind: str
    item: str
    low: int
    high: int
    net_low: int | None = None
    net_high: int | None = None
    proposed_by: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """The rates of one county and year, the working days of a month, and the tolerance in percent."""

    year: int
    rates: tuple[Rate, ...]
    days_low: int = 20
    days_high: int = 26
    tolerance: int = 50

    def rate(self, kind: str, item: str | None) -> Rate | None:
        return next((rate for rate in self.rates if (rate.kind, rate.item) == (kind, item)), None)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A line the card itself suggests; how much it brought is for the household to say."""

    kind: str
    item: str
    quantity: Decimal | None = None
    member: int | None = None
    months: int | None = None


def expected(standard: Standard, line: IncomeLine | Proposal, *, net: bool = False) -> Range | None:
    """What the line should bring by the standard, gross or `net` of costs; None where the standard cannot tell."""
    rate = standard.rate(line.kind, line.item)
    if rate is None:
        return None
    low, high = (rate.net_low, rate.net_high) if net and rate.kind != WAGE else (rate.low, rate.high)
    if low is None or high is None:
        return None
    if rate.kind == WAGE:
        months = line.months
        return months and Range(months * standard.days_low * low, months * standard.days_high * high) or None
    if line.quantity is None:
        return None
    return Range(
        int((line.quantity * low).to_integral_value(ROUND_FLOOR)),
        int((line.quantity * high).to_integral_value(ROUND_CEILING)),
    )


def distance(fen: int, expected: Range, tolerance: int) -> Distance:
    """How a declared amount stands to its range: compared by multiplication, nothing is divided."""
    if fen * 100 < expected.low * (100 - tolerance) or fen * 100 > expected.high * (100 + tolerance):
        return Distance.FAR
    if fen < expected.low:
        return Distance.LOW
    return Distance.HIGH if fen > expected.high else Distance.WITHIN


def expected_of_parts(
    standard: Standard, lines: Iterable[IncomeLine | Proposal], *, net: bool = False
) -> dict[str, Range]:
    """The range of each part all of whose lines the standard knows; expenses have none."""
    ranges: dict[str, list[Range | None]] = {}
    for line in lines:
        ranges.setdefault(PART_OF[line.kind], []).append(expected(standard, line, net=net))
    return {
        part: sum((each for each in found if each), Range(0, 0))
        for part, found in ranges.items()
        if part != EXPENSES and None not in found
    }


def proposals(standard: Standard, sheet: Any, members: Sequence[Any]) -> list[Proposal]:
    """The lines that land, herds and members who work away suggest, in the order of the standard.

    `sheet` and `members` have the attributes of the card (domain.card); unknown land proposes nothing.
    """
    return [*_from_land_and_herds(standard, sheet), *_from_work(standard, members)]


def _from_land_and_herds(standard: Standard, sheet: Any) -> Iterator[Proposal]:
    sizes = _sizes(sheet)
    for rate in standard.rates:
        size = sizes.get(rate.proposed_by)
        if rate.kind in (CROP, ANIMAL) and size:
            yield Proposal(rate.kind, rate.item, quantity=size)


def _sizes(sheet: Any) -> dict[str, Decimal]:
    """Mu and heads by what proposes; cultivated land counts as irrigated where nothing says how much is not."""
    known = {name: Decimal(size) for name in (*LAND, *HERDS) if (size := getattr(sheet, name, None)) is not None}
    cultivated = sheet.cultivated_land
    if cultivated is not None:
        watered = known.setdefault("irrigated_land", Decimal(cultivated))
        known[DRY_LAND] = Decimal(cultivated) - watered
    return {name: size for name, size in known.items() if size > 0}


def _from_work(standard: Standard, members: Sequence[Any]) -> Iterator[Proposal]:
    for index, member in enumerate(members):
        if member.work_place and member.work_months and standard.rate(WAGE, member.work_place):
            yield Proposal(WAGE, member.work_place, member=index, months=member.work_months)
