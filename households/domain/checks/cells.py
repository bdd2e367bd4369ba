"""Checks a reader of cells makes, over typed facts: for what is stored or came in by another way."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from households.domain import fields
from households.domain.card import Card, Finding
from households.domain.checks.core import Context, check, red

_HOUSEHOLD: tuple[str, ...] = ("household",)
_SHEET: tuple[str, ...] = ("sheet",)
_MEMBER: tuple[str, ...] = ("person", "membership", "member_sheet")
_NUMBER_TYPES, _FIGURE_TYPES = frozenset({"id", "certificate", "phone", "account"}), frozenset({"money", "decimal"})
# 18 digits that were a figure in a spreadsheet once
_FLOAT = re.compile(r"\d(\.\d+)?E\+\d+|\d{10,}\.0+", re.IGNORECASE)


def _of(entities: tuple[str, ...], types: frozenset[str]) -> tuple[fields.Field, ...]:
    return tuple(of for entity in entities for of in fields.of_entity(entity) if of.type in types)


_ENUMS = frozenset({"enum", "enum list"})
_LISTED: dict[tuple[str, ...], tuple[tuple[str, frozenset[str]], ...]] = {
    entities: tuple((of.attribute, frozenset(of.values)) for of in _of(entities, _ENUMS))
    for entities in (_HOUSEHOLD, _SHEET, _MEMBER)
}
_NUMBERS: dict[tuple[str, ...], tuple[str, ...]] = {
    entities: tuple(of.attribute for of in _of(entities, _NUMBER_TYPES)) for entities in (_HOUSEHOLD, _SHEET, _MEMBER)
}
_FIGURES = tuple(of.attribute for of in _of(_SHEET, _FIGURE_TYPES))


def _parts(card: Card) -> Iterator[tuple[tuple[str, ...], Any, int | None]]:
    yield _HOUSEHOLD, card.household, None
    yield _SHEET, card.sheet, None
    for index, member in enumerate(card.members):
        yield _MEMBER, member, index


@check("value-list")
def value_list(card: Card, context: Context) -> Iterator[Finding]:
    for entities, facts, member in _parts(card):
        for attribute, allowed in _LISTED[entities]:
            value = getattr(facts, attribute)
            given = value if isinstance(value, tuple) else (value,) if value else ()
            if not allowed.issuperset(given):
                yield red("value-list", attribute, member=member)


@check("number-form")
def number_form(card: Card, context: Context) -> Iterator[Finding]:
    for entities, facts, member in _parts(card):
        for attribute in _NUMBERS[entities]:
            if _FLOAT.fullmatch(getattr(facts, attribute) or ""):
                yield red("number-form", attribute, member=member, kind="lost-digits")
    for attribute in _FIGURES:
        figure = getattr(card.sheet, attribute)
        if isinstance(figure, Decimal) and not figure.is_finite():
            yield red("number-form", attribute, kind="figure")
