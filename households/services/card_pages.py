"""Cards as rows of the two sheets of the national layout, numbers of people masked, as an export writes them.

Such a workbook comes back: a mask says "as it is kept" (domain.card_update). Totals stay empty: they are worked out
from the parts, and one that somebody forgot to correct would contradict them.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from changde.crypto.masking import MASKS
from changde.divisions.models import Division
from households.domain import fields
from households.domain.card import Card
from households.domain.card_update import TOTALS
from households.domain.fields import HOUSEHOLD_SHEET, MEMBER_SHEET, Field

PLACES = ("city_name", "county_name", "township_name", "village_name")
_HOUSEHOLD = fields.of_sheet(HOUSEHOLD_SHEET)
_MEMBER = fields.of_sheet(MEMBER_SHEET)


def headers(sheet: str) -> list[str]:
    return [of.header for of in fields.of_sheet(sheet)]


def allowed(sheet: str) -> dict[int, tuple[str, ...]]:
    """Column -> the values to choose from."""
    return {i: of.values for i, of in enumerate(fields.of_sheet(sheet)) if of.values and of.type != "enum list"}


def names_of(village: Division) -> dict[str, str]:
    """How the household's row names the village and the divisions above it (one query)."""
    return {name: division.name for name, division in zip(PLACES, village.path(), strict=False)}


def household_row(card: Card, names: Mapping[str, str]) -> list[Any]:
    return [_cell(of, _of_household(card, names, of)) for of in _HOUSEHOLD]


def member_rows(card: Card) -> list[list[Any]]:
    """A row a member; the household's number and the head's join it to the household's row."""
    joins = {"number": card.household.number, "head_id_number": _head(card, "id_number")}
    return [
        [_cell(of, getattr(member, of.attribute) if of.entity else joins.get(of.attribute)) for of in _MEMBER]
        for member in card.members
    ]


def _of_household(card: Card, names: Mapping[str, str], of: Field) -> Any:
    if of.attribute in TOTALS:
        return None
    if of.entity == "sheet":
        return getattr(card.sheet, of.attribute)
    if of.attribute in names:
        return names[of.attribute]
    if of.attribute in ("head_name", "head_id_number"):
        return _head(card, of.attribute.removeprefix("head_"))
    return getattr(card.household, of.attribute)


def _head(card: Card, attribute: str) -> str | None:
    return getattr(card.head, attribute) if card.head else None


def _cell(of: Field, value: Any) -> Any:
    """A value as people write it, so that it reads back as the same."""
    if value is None or value == ():
        return None
    if of.type in MASKS:
        return MASKS[of.type](value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple):
        return "、".join(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"{timezone.localtime(value) if timezone.is_aware(value) else value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if of.type == "code12" else value
