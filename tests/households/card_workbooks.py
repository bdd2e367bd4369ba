"""Typed cards as a workbook, the way an office would fill it in."""

import io
from dataclasses import asdict
from datetime import datetime
from typing import Any

from households.domain import fields
from households.domain.card import Card
from households.domain.fields import HOUSEHOLD_SHEET, MEMBER_SHEET, Field
from households.domain.workbook import Page, write


def _written(value: Any) -> Any:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple):
        return "、".join(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return None if value is None else str(value)


def workbook_of(*cards: Card, without: tuple[str, ...] = ()) -> io.BytesIO:
    """A workbook of the cards; columns whose header is in `without` are left out."""

    def columns(sheet: str) -> list[Field]:
        return [field for field in fields.of_sheet(sheet) if field.header not in without]

    households, members = [], []
    for card in cards:
        own = asdict(card.household) | asdict(card.sheet)
        own["head_id_number"] = own["head_id_number"] or (card.head.id_number if card.head else None)
        households.append([_written(own[field.attribute]) for field in columns(HOUSEHOLD_SHEET)])
        for member in card.members:
            facts = asdict(member) | {"head_id_number": own["head_id_number"]}
            members.append(
                [
                    _written(
                        own["number"] if field.attribute == "number" and not field.entity else facts[field.attribute]
                    )
                    for field in columns(MEMBER_SHEET)
                ]
            )
    file = io.BytesIO()
    write(
        file,
        [
            Page(sheet, [field.header for field in columns(sheet)], rows)
            for sheet, rows in ((HOUSEHOLD_SHEET, households), (MEMBER_SHEET, members))
        ],
    )
    file.seek(0)
    return file
