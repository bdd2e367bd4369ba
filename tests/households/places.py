"""The real villages as the domain knows them, without a database."""

import csv
from functools import cache
from pathlib import Path

from households.domain.places import Places

DIVISIONS = Path(__file__).parents[2] / "changde/divisions/reference/changde_divisions.csv"


@cache
def real_places() -> Places:
    with DIVISIONS.open(encoding="utf-8") as lines:
        rows = {int(row["code"]): row for row in csv.DictReader(lines)}

    def above(row: dict[str, str]) -> dict[str, str]:
        return rows[int(row["parent"])]

    return Places(
        (code, row["name"], above(row)["name"], above(above(row))["name"])
        for code, row in rows.items()
        if row["level"] == "village"
    )
