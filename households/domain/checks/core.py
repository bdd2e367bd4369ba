"""The checks of a card, by the ids of reference/card_checks.csv: the same functions for form, workbook and API.

A check is a pure function over one typed card and a `Context`; it yields findings. Red refuses the card, unless the
check allows a reason and the card gives one (then it goes in with an open note, severity yellow, for the reviewer);
yellow goes in with an open note. Ages are taken on 30 September of the sheet's year, the last day of the accounting
year. An unknown value (None) fires nothing but the checks that look for emptiness: it says nothing that could be wrong.

Not here, because they need more than one card: id-double (the claims table decides), phone-shared, member-vanished,
income-jump, risk-months, card-old. Cell checks (value-list, number-form) are made while parsing (domain: values);
`CELL_CHECKS` names them.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.resources import files

from households.domain.card import Card, Finding, Member
from households.domain.places import Places

RED, YELLOW, WAIT = "red", "yellow", "wait"
CELL_CHECKS = frozenset({"value-list", "number-form", "text-long"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures inside the checks. A county may tighten them; defaults follow the descriptions of the checks."""

    oldest: int = 110
    child_gap: tuple[int, int] = (14, 60)
    grandchild_gap: int = 28
    marriage_age: Mapping[str, int] = field(default_factory=lambda: {"男": 22, "女": 20})
    spouse_gap: int = 25
    wage_a_month: tuple[Decimal, Decimal] = (Decimal(100), Decimal(30_000))
    poor_income: Decimal = Decimal(500)
    house_area: tuple[Decimal, Decimal] = (Decimal(8), Decimal(500))
    field_area: Decimal = Decimal(100)
    forest_area: Decimal = Decimal(200)
    road_km: Decimal = Decimal(5)
    members: int = 10
    tolerance: Decimal = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may know beside the card: the year's income line (yuan a head), the places, tuned figures, and
    which yellow checks a county has switched off."""

    line: Decimal | None = None
    places: Places | None = None
    limits: Limits = Limits()
    off: Collection[str] = ()


Check = Callable[[Card, Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Description:
    """A line of reference/card_checks.csv."""

    id: str
    severity: str
    subject: str
    fires_when: str
    fields: str
    note: str


@cache
def descriptions() -> Mapping[str, Description]:
    """All checks the offices know, by id."""
    with (files("households") / "reference" / "card_checks.csv").open(encoding="utf-8") as lines:
        return {row["id"]: Description(**row) for row in csv.DictReader(lines)}


CHECKS: dict[str, Check] = {}


def check(check_id: str) -> Callable[[Check], Check]:
    def register(function: Check) -> Check:
        CHECKS[check_id] = function
        return function

    return register


def run(card: Card, context: Context | None = None) -> list[Finding]:
    """All findings on the card, red ones first; within a severity in the order of the registry.

    Red checks cannot be switched off: a county may tighten, never relax.
    """
    context = context or Context()
    found = [finding for check in CHECKS.values() for finding in check(card, context)]
    kept = [finding for finding in found if finding.severity == RED or finding.check_id not in context.off]
    return sorted(kept, key=lambda finding: finding.severity != RED)


def refuses(findings: Collection[Finding]) -> bool:
    return any(finding.severity == RED for finding in findings)


def red(check_id: str, *attributes: str, member: int | None = None, **parameters: object) -> Finding:
    return Finding(check_id, RED, member, attributes, parameters)


def yellow(check_id: str, *attributes: str, member: int | None = None, **parameters: object) -> Finding:
    return Finding(check_id, YELLOW, member, attributes, parameters)


def aged(card: Card) -> Iterator[tuple[int, Member, int]]:
    """Members whose age is known, with index and age."""
    for index, member in enumerate(card.members):
        age = member.age_in(card.sheet.year)
        if age is not None:
            yield index, member, age


def is_healthy(member: Member) -> bool:
    return member.health == ("健康",)
