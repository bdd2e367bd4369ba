"""Cards of the made-up city for the tests: places without a database, and columns as typed cards."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from typing import Any

from households.domain.card import Card, household_from, member_from, sheet_from
from households.domain.city import HUNDREDTHS, Block, Place

EMPTY = {("exit_year", 0): None, ("work_months", 0): None}


def real_places() -> list[Place]:
    """The villages of the reference file."""
    with (files("changde.divisions") / "reference" / "changde_divisions.csv").open(encoding="utf-8") as lines:
        rows = {row["code"]: row for row in csv.DictReader(lines)}
    return [
        Place(
            int(code),
            row["name"],
            rows[code[:9] + "000"]["name"],
            rows[code[:6] + "000000"]["name"],
            row["kind"] == "urban",
        )
        for code, row in rows.items()
        if row["level"] == "village"
    ]


def _fact(name: str, value: Any, is_answer: bool) -> Any:
    if name in HUNDREDTHS and not is_answer:
        return Decimal(value).scaleb(-2)
    return EMPTY.get((name, value), value) if isinstance(value, int | tuple) else value or None


def _rows(columns: dict[str, Any]) -> list[dict[str, Any]]:
    facts = {
        name: [_fact(name, value, column.dtype == bool) for value in column.tolist()]
        for name, column in columns.items()
    }
    return [dict(zip(facts, row, strict=True)) for row in zip(*facts.values(), strict=True)]


def cards_of(block: Block) -> Iterator[Card]:
    """Every household of the village in both years, with the members who lived then."""
    for year in block.years:
        homes, sheets = _rows(block.households), _rows(year.sheets)
        people = _rows(block.members | year.members)
        for index, (home, sheet) in enumerate(zip(homes, sheets, strict=True)):
            members = tuple(
                member_from(person)
                for person, alive in zip(people, year.alive, strict=True)
                if alive and person["household"] == index
            )
            yield Card(
                household_from(home | {"village_code": block.village.place.code}),
                sheet_from(sheet | {"year": year.year}),
                members,
            )
