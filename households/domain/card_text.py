"""A card's own facts as the cells of its rows, in the text format of COPY: what can be made before ids are known.

Ids, links and the numbers of people (encrypted for an id) are added by who writes. `never_null` names the columns of
each table where unknown text is "".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from households.domain.card import Card, Member, SheetFacts
from households.domain.card_income import with_income
from households.domain.name_keys import name_keys

HOUSEHOLD_COLUMNS = ("number", "group", "address", "bank", "helper_name")
HEAD_COLUMNS = ("head_name", "head_pinyin", "head_initials", "persons")
PERSON_COLUMNS = ("number", "name", "sex", "birth_date", "ethnicity", "id_kind", "no_id_reason")
NAME_COLUMNS = ("pinyin", "initials")
# Numbers of people: ciphertext in a row, with a keyed hash beside what is searched.
HOUSEHOLD_SECRETS = ("phone", "bank_account", "helper_phone")
PERSON_SECRETS = ("id_number", "old_id_number", "disability_certificate", "phone")
SHEET_COLUMNS = tuple(each.name for each in fields(SheetFacts))
MEMBER_COLUMNS = tuple(
    each.name
    for each in fields(Member)
    if each.name not in PERSON_COLUMNS and each.name not in PERSON_SECRETS and each.name != "relation"
)

LOCAL = ZoneInfo("Asia/Shanghai")
NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


@dataclass(frozen=True, slots=True)
class CardText:
    """Cells joined by tabs: HOUSEHOLD_COLUMNS and HEAD_COLUMNS; SHEET_COLUMNS with what is worked out; for each member
    PERSON_COLUMNS and NAME_COLUMNS, and MEMBER_COLUMNS and the relation."""

    household: str
    sheet: str
    persons: tuple[str, ...]
    members: tuple[str, ...]


def _text(value: str) -> str:
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


def _list(values: tuple[Any, ...]) -> str:
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return _text("{" + ",".join(f'"{value}"' for value in quoted) + "}")


def _moment(value: datetime) -> str:
    return (value if value.tzinfo else value.replace(tzinfo=LOCAL)).isoformat()


_BY_TYPE: dict[type, Callable[[Any], str]] = {
    str: _text,
    bool: lambda value: "t" if value else "f",
    int: str,
    Decimal: str,
    tuple: _list,
    datetime: _moment,
    date: date.isoformat,
}


def cell(value: Any) -> str:
    """One known value in the text format of COPY."""
    write = _BY_TYPE.get(value.__class__)
    return write(value) if write else _text(str(value))


class TextOf:
    """Makes the CardText of cards."""

    def __init__(self, never_null: Mapping[str, frozenset[str]]):
        def plan(table: str, columns: tuple[str, ...]) -> tuple[Callable[[Any], tuple[Any, ...]], tuple[str, ...]]:
            return attrgetter(*columns), tuple("" if name in never_null[table] else NULL for name in columns)

        self._household = plan("household", HOUSEHOLD_COLUMNS)
        self._person = plan("person", PERSON_COLUMNS)
        self._sheet = plan("sheet", SHEET_COLUMNS)
        self._member = plan("membersheet", MEMBER_COLUMNS)

    def __call__(self, card: Card) -> CardText:
        name = (card.head.name if card.head else None) or ""
        head = (name, *name_keys(name), len(card.members))
        return CardText(
            "\t".join([_cells(card.household, self._household), *map(cell, head)]),
            _cells(with_income(card).sheet, self._sheet),
            tuple(
                "\t".join((_cells(member, self._person), *map(_text, name_keys(member.name or ""))))
                for member in card.members
            ),
            tuple(f"{_cells(member, self._member)}\t{_text(member.relation or '')}" for member in card.members),
        )


def _cells(facts: Any, plan: tuple[Callable[[Any], tuple[Any, ...]], tuple[str, ...]]) -> str:
    values, empties = plan
    by_type = _BY_TYPE
    return "\t".join(
        [
            empty if value is None else (by_type[value.__class__](value) if value.__class__ in by_type else cell(value))
            for value, empty in zip(values(facts), empties, strict=True)
        ]
    )
