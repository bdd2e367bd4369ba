"""The checks of a card, by the ids of reference/card_checks.csv: the same functions for form, workbook and API.

A check is a pure function over one typed card and a `Context`; it yields findings. Red refuses the card, unless the
check allows a reason and the card gives one (then it goes in with an open note, severity yellow, for the reviewer);
yellow goes in with an open note. Ages are taken on 30 September of the sheet's year, the last day of the accounting
year. An unknown value (None) fires nothing but the checks that look for emptiness: it says nothing that could be wrong.

Some need to know more than the card (last year's income, the same phone elsewhere): such facts come in as `Beside`,
gathered by whoever asks; where they are not given, these checks say nothing. Cell checks (value-list, number-form) are
made while parsing (domain: values) and once more over what is stored; `CELL_CHECKS` names them.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from households.domain.card import Card, Finding, Member
from households.domain.places import Places

RED, YELLOW, WAIT = "red", "yellow", "wait"
CELL_CHECKS = frozenset({"value-list", "number-form", "text-long"})


# Told to the office that reviews, never to who types: it would say what stands on cards of other places.
OFFICE_ONLY = frozenset({"phone-shared"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures inside the checks, each described in checks.figures; defaults follow the descriptions of the checks."""

    oldest: Decimal = Decimal(110)
    child_least: Decimal = Decimal(14)
    child_most: Decimal = Decimal(60)
    parent_least: Decimal = Decimal(14)
    grandchild_least: Decimal = Decimal(28)
    marriage_men: Decimal = Decimal(22)
    marriage_women: Decimal = Decimal(20)
    spouse_gap: Decimal = Decimal(25)
    wage_least: Decimal = Decimal(100)
    wage_most: Decimal = Decimal(30_000)
    poor_income: Decimal = Decimal(500)
    house_least: Decimal = Decimal(8)
    house_most: Decimal = Decimal(500)
    field_area: Decimal = Decimal(100)
    forest_area: Decimal = Decimal(200)
    road_km: Decimal = Decimal(5)
    members: Decimal = Decimal(10)
    sum_tolerance: Decimal = Decimal("0.01")
    per_capita_tolerance: Decimal = Decimal("0.01")
    jump_factor: Decimal = Decimal(2)
    risk_months: Decimal = Decimal(6)
    old_months: Decimal = Decimal(12)


@dataclass(frozen=True, slots=True)
class Beside:
    """What other rows say about a household. None, False or empty: not known, or nothing.

    `last_per_capita` is last year's income a head (yuan); `phone_elsewhere`: the phone stands on a card of another
    village; `left` are persons (ids) who lived here and are gone without an event; `numbers_elsewhere` are members
    whose ID number another active card holds; `identified` and `risk_removed` are the days on which monitoring began
    and ended; `touched` is the day of the last visit or change, looked at on `today`.
    """

    last_per_capita: Decimal | None = None
    phone_elsewhere: bool = False
    left: tuple[int, ...] = ()
    numbers_elsewhere: tuple[int, ...] = ()
    identified: date | None = None
    risk_removed: date | None = None
    touched: date | None = None
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may know beside the card: the year's income line (yuan a head), the places, tuned figures, which
    yellow checks a county has switched off, and what other rows say about the household."""

    line: Decimal | None = None
    places: Places | None = None
    limits: Limits = Limits()
    off: Collection[str] = ()
    beside: Beside = Beside()


Check = Callable[[Card, Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Description:
    """A line of reference/card_checks.csv, or of basic_checks.csv: what a card cannot do without, in any office."""

    id: str
    severity: str
    subject: str
    fires_when: str
    fields: str
    note: str


@cache
def descriptions() -> Mapping[str, Description]:
    """All checks, by id: those the offices know, in their order, then the basic ones."""
    known: dict[str, Description] = {}
    for name in ("card_checks.csv", "basic_checks.csv"):
        with (files("households") / "reference" / name).open(encoding="utf-8") as lines:
            known |= {row["id"]: Description(**row) for row in csv.DictReader(lines)}
    return known


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
    kept = [finding for finding in found if not (finding.check_id in context.off and may_be_off(finding.check_id))]
    return sorted((with_figures(each, context.limits) for each in kept), key=lambda finding: finding.severity != RED)


def may_be_off(check_id: str) -> bool:
    """Only a check that is yellow in the offices' list; red and wait stay on."""
    return descriptions()[check_id].severity == YELLOW


def with_figures(finding: Finding, limits: Limits) -> Finding:
    """The finding with the figures of its check, for its message."""
    names = FIGURES_OF.get(finding.check_id)
    if not names:
        return finding
    figures = {name: f"{getattr(limits, name).normalize():f}" for name in names}
    return replace(finding, parameters={**figures, **finding.parameters})


def needs_acceptance(finding: Finding) -> bool:
    """A red check that goes in with a reason: the household is not posted until a reviewer accepts the reason."""
    return finding.severity == YELLOW and descriptions()[finding.check_id].severity == RED


# check -> names of its figures in Limits
FIGURES_OF: Mapping[str, tuple[str, ...]] = {
    "age-limit": ("oldest",),
    "child-age": ("child_least", "child_most"),
    "parent-age": ("parent_least",),
    "grandchild-age": ("grandchild_least",),
    "spouse-age": ("marriage_men", "marriage_women", "spouse_gap"),
    "wage-monthly": ("wage_least", "wage_most"),
    "income-zero": ("poor_income",),
    "house-area": ("house_least", "house_most"),
    "land-range": ("field_area", "forest_area"),
    "road-distance": ("road_km",),
    "household-size": ("members",),
    "income-sum": ("sum_tolerance",),
    "income-per-capita": ("per_capita_tolerance",),
    "income-jump": ("jump_factor",),
    "risk-months": ("risk_months",),
    "card-old": ("old_months",),
}


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
