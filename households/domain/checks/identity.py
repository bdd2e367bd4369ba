"""Checks of numbers, names and phones."""

import re
from collections.abc import Iterator

from households.domain import id_number
from households.domain.card import Card, Finding, Member
from households.domain.checks.core import RED, YELLOW, Context, check, red, yellow

_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+(?:[·•・．.][\u3400-\u9fff\U00020000-\U0003ffff]+)*")
NUMBER_FROM_AGE = 1  # whoever is older has a number, or a reason
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"(0\d{2,3}-?)?[2-9]\d{6,7}(-\d{1,6})?")


def _numbered(card: Card) -> Iterator[tuple[int, Member, str]]:
    for index, member in enumerate(card.members):
        if member.id_number:
            yield index, member, member.id_number


@check("id-check-digit")
def id_check_digit(card: Card, context: Context) -> Iterator[Finding]:
    """A reason written on the card (very old people can have odd numbers) lets it in; the reviewer accepts it."""
    for index, member, number in _numbered(card):
        if id_number.check(number) == "id-check-digit":
            severity = YELLOW if member.no_id_reason else RED
            yield Finding("id-check-digit", severity, index, ("id_number",))


@check("id-length")
def id_length(card: Card, context: Context) -> Iterator[Finding]:
    for index, _member, number in _numbered(card):
        if id_number.check(number) == "id-length":
            yield red("id-length", "id_number", member=index, length=len(number))


def _valid(card: Card) -> Iterator[tuple[int, Member, id_number.IdNumber]]:
    for index, member, text in _numbered(card):
        number = id_number.parse(text)
        if number is not None:
            yield index, member, number


@check("id-sex")
def id_sex(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, number in _valid(card):
        if member.sex is not None and member.sex != number.sex:
            yield red("id-sex", "sex", "id_number", member=index, expected=number.sex)


@check("id-birth")
def id_birth(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, number in _valid(card):
        if member.birth_date is not None and member.birth_date != number.birth_date:
            yield red("id-birth", "birth_date", "id_number", member=index)


@check("id-area")
def id_area(card: Card, context: Context) -> Iterator[Finding]:
    """Only the province is looked at: county codes come and go, and old ones stay on people's cards."""
    for index, _member, number in _valid(card):
        if int(number.area[:2]) not in _PROVINCES:
            yield yellow("id-area", "id_number", member=index)


_PROVINCES = frozenset(
    {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54}
    | {61, 62, 63, 64, 65, 71, 81, 82, 83}
)


@check("id-missing")
def id_missing(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        age = member.age_in(card.sheet.year)
        if not member.id_number and not member.no_id_reason and (age is None or age > NUMBER_FROM_AGE):
            yield yellow("id-missing", "id_number", member=index)


@check("disability-certificate")
def disability_certificate(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if member.disability_certificate:
            certificate = id_number.parse_certificate(member.disability_certificate)
            fits = certificate is not None and member.id_number in {None, certificate.id_number}
            if not fits:
                yield yellow("disability-certificate", "disability_certificate", member=index)
        elif "残疾" in member.health:
            yield yellow("disability-certificate", "disability_certificate", "health", member=index)


@check("name-form")
def name_form(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if member.name and not _NAME.fullmatch(member.name):
            yield yellow("name-form", "name", member=index)


@check("name-missing")
def name_missing(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if not member.name:
            yield red("name-missing", "name", member=index)


@check("phone-form")
def phone_form(card: Card, context: Context) -> Iterator[Finding]:
    phone = card.household.phone
    if phone and not _MOBILE.fullmatch(phone) and not _LANDLINE.fullmatch(phone):
        yield yellow("phone-form", "phone")


@check("member-twice")
def member_twice(card: Card, context: Context) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, _member, number in _numbered(card):
        if number in seen:
            yield red("member-twice", "id_number", member=index)
        seen.add(number)
