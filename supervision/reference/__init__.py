"""Reference data of supervision, read once."""

import csv
from functools import cache
from pathlib import Path

from supervision.domain.working_days import Calendar


def holidays_path() -> Path:
    return Path(__file__).with_name("holidays.csv")


@cache
def calendar() -> Calendar:
    """Public holidays and make-up working days of holidays.csv."""
    with holidays_path().open(encoding="utf-8", newline="") as file:
        return Calendar.from_rows(csv.DictReader(file))
