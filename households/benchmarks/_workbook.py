"""A workbook of a made-up city in the national layout, as an office would bring it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from households.domain import fields
from households.domain.city import HUNDREDTHS, Block, Place, make_village, plan_villages
from households.domain.fields import HOUSEHOLD_SHEET, MEMBER_SHEET
from households.domain.workbook import Page, write

_EMPTY = frozenset({"exit_year", "work_months"})


def write_workbook(target: Path, places: list[Place], households: int, seed: int) -> int:
    """Cards of the latest year; returns the number of members' rows."""
    villages = [village for village in plan_villages(places, households, seed) if village.households]
    counted = 0

    def household_rows() -> Iterator[list[Any]]:
        for village in villages:
            block = make_village(village, seed)
            place = village.place
            names = {
                "village_code": place.code,
                "city_name": "常德市",
                "county_name": place.county,
                "township_name": place.township,
                "village_name": place.name,
                "year": block.years[-1].year,
            }
            yield from _rows(HOUSEHOLD_SHEET, block.households | block.years[-1].sheets, names, village.households)

    def member_rows() -> Iterator[list[Any]]:
        nonlocal counted
        for village in villages:
            block = make_village(village, seed)
            counted += len(block.members["name"])
            yield from _rows(MEMBER_SHEET, _members(block), {}, len(block.members["name"]))

    write(
        target,
        [
            Page(HOUSEHOLD_SHEET, [of.header for of in fields.of_sheet(HOUSEHOLD_SHEET)], household_rows()),
            Page(MEMBER_SHEET, [of.header for of in fields.of_sheet(MEMBER_SHEET)], member_rows()),
        ],
    )
    return counted


def _members(block: Block) -> dict[Any, np.ndarray]:
    """Members' columns; the household's number joins them, the person's own stands beside it."""
    of_household = block.members["household"]
    return {
        **block.members,
        **block.years[-1].members,
        ("", "number"): block.households["number"][of_household],
        ("", "head_id_number"): block.households["head_id_number"][of_household],
    }


def _rows(sheet: str, columns: Any, names: dict[str, Any], count: int) -> Iterator[list[Any]]:
    cells = []
    for of in fields.of_sheet(sheet):
        if of.attribute in names:
            cells.append([names[of.attribute]] * count)
            continue
        column = columns.get((of.entity, of.attribute), columns.get(of.attribute))
        cells.append([None] * count if column is None else _cells(of.attribute, column))
    return map(list, zip(*cells, strict=True))


def _cells(name: str, column: np.ndarray) -> list[Any]:
    """Values as people write them: yuan and mu, 是 and 否, lists with 、, dates as text."""
    if column.dtype == bool:
        return column.tolist()
    if name in HUNDREDTHS:
        return [value // 100 if value % 100 == 0 else value / 100 for value in column.tolist()]
    if column.dtype.kind == "M":
        return [text.replace("T", " ") for text in column.astype(str).tolist()]
    values = column.tolist()
    if values and isinstance(values[0], tuple):
        return ["、".join(value) for value in values]
    return [value or None for value in values] if name in _EMPTY else values
