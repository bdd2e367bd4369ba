"""The income lines a form shows beside what is typed."""

import json
from decimal import Decimal
from functools import cache
from importlib.resources import files

from households.domain.income import to_yuan
from households.domain.index import default_systems


@cache
def _defaults() -> dict[int, Decimal]:
    document = json.loads((files("households") / "reference" / "index_default.json").read_text(encoding="utf-8"))
    return {year: to_yuan(system.income_line) for year, system in default_systems(document).items()}


def income_lines(county: int | None) -> dict[int, Decimal]:
    """Yuan a head by accounting year, as the county's (else the city's) index version in force says."""
    return _defaults()
