"""Checks of place, year, head and relations to the head."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from households.domain import id_number
from households.domain.card import HEAD, SPOUSE, Card, Finding, Member
from households.domain.checks.core import Context, Limits, aged, check, red, yellow

_MALE_RELATIONS = frozenset({"之子", "之女婿", "之孙子", "之外孙子", "之父", "之岳父", "之公公", "之祖父"})
_FEMALE_RELATIONS = frozenset({"之女", "之儿媳", "之孙女", "之外孙女", "之母", "之岳母", "之婆婆", "之祖母"})
_CHILDREN = frozenset({"之子", "之女"})
_PARENTS = frozenset({"之父", "之母"})
_GRANDCHILDREN = frozenset({"之孙子", "之孙女", "之外孙子", "之外孙女"})

_HEAD_FROM, _GROWN = 16, 18  # a head under 16 is looked at when somebody of 18 lives in the household
_DAYS_A_YEAR = 365.2425


@check("village-unknown")
def village_unknown(card: Card, context: Context) -> Iterator[Finding]:
    """Code and names together must lead to one village; see `Places.village`."""
    if context.places is not None and context.places.village(card.household) is None:
        yield red("village-unknown", "village_code")


@check("year-missing")
def year_missing(card: Card, context: Context) -> Iterator[Finding]:
    """Without its year a sheet has no place."""
    if card.sheet.year is None:
        yield red("year-missing", "year")


@check("year-outside")
def year_outside(card: Card, context: Context) -> Iterator[Finding]:
    """Cards begin with the registration of 2010."""
    if card.sheet.year is not None and not 2010 <= card.sheet.year <= 2100:
        yield red("year-outside", "year")


@check("one-head")
def one_head(card: Card, context: Context) -> Iterator[Finding]:
    heads = [index for index, member in enumerate(card.members) if member.relation == HEAD]
    if len(heads) != 1:
        yield red("one-head", "relation", member=heads[1] if heads else None, heads=len(heads))


@check("head-on-card")
def head_on_card(card: Card, context: Context) -> Iterator[Finding]:
    """Compares 18-character forms; a number that is no number is compared as written."""
    written = card.household.head_id_number
    if written and card.members:
        number = id_number.parse(written)
        wanted = number.number if number else id_number.normalise(written)
        if wanted not in {member.id_number for member in card.members}:
            yield red("head-on-card", "head_id_number")


@check("spouse-sex")
def spouse_sex(card: Card, context: Context) -> Iterator[Finding]:
    head = card.head
    for index, member in _spouses(card):
        if head is not None and head.sex is not None and member.sex == head.sex:
            yield red("spouse-sex", "sex", "relation", member=index)


def _spouses(card: Card) -> list[tuple[int, Member]]:
    return [(index, member) for index, member in enumerate(card.members) if member.relation == SPOUSE]


@check("two-spouses")
def two_spouses(card: Card, context: Context) -> Iterator[Finding]:
    spouses = _spouses(card)
    if len(spouses) > 1:
        yield red("two-spouses", "relation", member=spouses[1][0])


@check("relation-sex")
def relation_sex(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        wrong_man = member.sex == id_number.FEMALE and member.relation in _MALE_RELATIONS
        wrong_woman = member.sex == id_number.MALE and member.relation in _FEMALE_RELATIONS
        if wrong_man or wrong_woman:
            yield red("relation-sex", "relation", "sex", member=index)


@dataclass(frozen=True, slots=True)
class Gap:
    """How many years after the head people of some relations are born; the bounds are within, unless open."""

    check_id: str
    relations: frozenset[str]
    least: float | None = None
    most: float | None = None
    is_open: bool = False

    def holds(self, years: float) -> bool:
        least, most = -inf if self.least is None else self.least, inf if self.most is None else self.most
        return least < years < most if self.is_open else least <= years <= most


def gaps(limits: Limits) -> dict[str, Gap]:
    """The gaps of age between head and member that need no second look, by check id."""
    apart = float(limits.spouse_gap)
    found = (
        Gap("child-age", _CHILDREN, float(limits.child_least), float(limits.child_most)),
        Gap("parent-age", _PARENTS, most=-float(limits.parent_least)),
        Gap("grandchild-age", _GRANDCHILDREN, float(limits.grandchild_least)),
        Gap("spouse-age", frozenset({SPOUSE}), -apart, apart, is_open=True),
    )
    return {gap.check_id: gap for gap in found}


def rules_as_data(limits: Limits) -> dict[str, Any]:
    """The same sets and figures for the form's script, which notes at once what these checks find at the save."""
    return {
        "head": HEAD,
        "spouse": SPOUSE,
        "male": sorted(_MALE_RELATIONS),
        "female": sorted(_FEMALE_RELATIONS),
        "gaps": [
            {
                "id": gap.check_id,
                "relations": sorted(gap.relations),
                "least": gap.least,
                "most": gap.most,
                "open": gap.is_open,
            }
            for gap in gaps(limits).values()
        ],
        "daysAYear": _DAYS_A_YEAR,
        "marriage": {id_number.MALE: int(limits.marriage_men), id_number.FEMALE: int(limits.marriage_women)},
        "headFrom": _HEAD_FROM,
        "grown": _GROWN,
        "oldest": int(limits.oldest),
    }


def _outside(card: Card, context: Context, check_id: str) -> Iterator[int]:
    """Members whose gap of age to the head is not within."""
    gap, head = gaps(context.limits)[check_id], card.head
    if head is None or head.birth_date is None:
        return
    for index, member in enumerate(card.members):
        if member.relation in gap.relations and member.birth_date is not None:
            years = (member.birth_date - head.birth_date).days / _DAYS_A_YEAR
            if not gap.holds(years):
                yield index


@check("child-age")
def child_age(card: Card, context: Context) -> Iterator[Finding]:
    for index in _outside(card, context, "child-age"):
        yield yellow("child-age", "birth_date", "relation", member=index)


@check("parent-age")
def parent_age(card: Card, context: Context) -> Iterator[Finding]:
    for index in _outside(card, context, "parent-age"):
        yield yellow("parent-age", "birth_date", "relation", member=index)


@check("grandchild-age")
def grandchild_age(card: Card, context: Context) -> Iterator[Finding]:
    for index in _outside(card, context, "grandchild-age"):
        yield yellow("grandchild-age", "birth_date", "relation", member=index)


@check("spouse-age")
def spouse_age(card: Card, context: Context) -> Iterator[Finding]:
    limits = context.limits
    far = set(_outside(card, context, "spouse-age"))
    for index, member in _spouses(card):
        age = member.age_in(card.sheet.year)
        least = {id_number.MALE: limits.marriage_men, id_number.FEMALE: limits.marriage_women}.get(member.sex or "")
        young = age is not None and least is not None and age < least
        if young or index in far:
            yield yellow("spouse-age", "birth_date", "relation", member=index)


@check("head-minor")
def head_minor(card: Card, context: Context) -> Iterator[Finding]:
    ages = {index: age for index, _member, age in aged(card)}
    for index, member in enumerate(card.members):
        young = ages.get(index, _HEAD_FROM) < _HEAD_FROM
        if member.relation == HEAD and young and any(age >= _GROWN for age in ages.values()):
            yield yellow("head-minor", "birth_date", "relation", member=index)


@check("age-limit")
def age_limit(card: Card, context: Context) -> Iterator[Finding]:
    for index, _member, age in aged(card):
        if age > context.limits.oldest:
            yield yellow("age-limit", "birth_date", member=index)


@check("birth-future")
def birth_future(card: Card, context: Context) -> Iterator[Finding]:
    """Born after the accounting year: not a member in that year."""
    for index, _member, age in aged(card):
        if age < 0:
            yield yellow("birth-future", "birth_date", member=index)


@check("household-size")
def household_size(card: Card, context: Context) -> Iterator[Finding]:
    if len(card.members) > context.limits.members:
        yield yellow("household-size", "relation", count=len(card.members))
