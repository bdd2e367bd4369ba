"""Reads the golden tables of tests/data: empty is as in the first row, ? is unknown."""

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from households.domain.features import FEATURES
from households.domain.index_system import IndexSystem, default_systems

DATA = Path(__file__).parents[1] / "data"
DEFAULTS: dict[int, IndexSystem] = default_systems(
    json.loads((Path(__file__).parents[2] / "households/reference/index_default.json").read_text("utf-8"))
)
ANSWERS = {"是": True, "否": False, "?": None}


def rows(name: str) -> list[dict[str, str]]:
    """Every row of a golden table with its empty cells filled from the first."""
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    return [{column: cell or table[0][column] for column, cell in row.items()} for row in table]


def system_of(row: dict[str, str]) -> IndexSystem:
    """The default of the row's year, with the row's cutoff."""
    return replace(DEFAULTS[int(row["year"])], cutoff=Fraction(row["cutoff"]))


def words(cell: str) -> list[str]:
    """The words of a cell; - is none."""
    return [] if cell == "-" else cell.split()


def stored_values(row: dict[str, str], system: IndexSystem) -> dict[str, Any]:
    """What a result of this row would store: one value for each column the system reads."""
    values: dict[str, Any] = {"members_missing": 0}
    for name in system.columns:
        if name in FEATURES:
            values[name] = _value(name, row[name])
            if FEATURES[name].kind == "count":
                low, _, high = row[name].partition("..")
                values[name] = int(low)
                values[f"{name}_unknown"] = int(high or low) - int(low)
    return values


def _value(name: str, cell: str) -> Any:
    if cell == "?":
        return None
    kind = FEATURES[name].kind
    if kind == "truth":
        return ANSWERS[cell]
    return round(float(cell) * FEATURES[name].scale) if kind in ("money", "amount") else cell
