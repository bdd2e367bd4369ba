"""Deadlines in working days, by the holiday table the system ships."""

import csv
from collections import Counter
from datetime import date, timedelta

import pytest

from supervision.domain.working_days import Calendar, add_working_days
from supervision.reference import calendar, holidays_path

BARE = Calendar(frozenset(), frozenset())


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 11, 23), date(2026, 11, 30)),  # Monday: Tuesday is the first day, next Monday the fifth
        (date(2026, 11, 27), date(2026, 12, 4)),  # Friday
        (date(2026, 11, 28), date(2026, 12, 4)),  # Saturday
        (date(2026, 9, 30), date(2026, 10, 13)),  # National Day free, Saturday 10 October worked
        (date(2026, 2, 12), date(2026, 2, 26)),  # Spring Festival: 13 and (Saturday) 14 worked, then 24 to 26
        (date(2019, 4, 25), date(2019, 5, 5)),  # Sunday 28 April and Sunday 5 May worked
    ],
)
def test_five_working_days(received, due):
    assert add_working_days(received, 5, calendar()) == due


def test_without_holidays_only_weekends_are_free():
    assert add_working_days(date(2026, 10, 1), 5, BARE) == date(2026, 10, 8)


def test_a_deadline_of_no_days_is_refused():
    with pytest.raises(ValueError, match="at least one working day"):
        add_working_days(date(2026, 10, 1), 0, BARE)


def test_an_unknown_kind_of_day_is_refused():
    with pytest.raises(ValueError, match="neither"):
        Calendar.from_rows([{"date": "2026-10-01", "kind": "feast"}])


def test_the_table_covers_2019_to_2027_without_doubles():
    with holidays_path().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["date"][:4] for row in rows} == {str(year) for year in range(2019, 2028)}
    assert len({row["date"] for row in rows}) == len(rows)
    assert {row["date"][:4] for row in rows if row["settled"] == "no"} == {"2027"}
    assert all(date.fromisoformat(row["date"]).weekday() >= 5 for row in rows if row["kind"] == "workday")


def test_a_year_has_as_many_working_days_as_the_state_council_counts():
    """250 days a year by the rule of 11 holidays, less or more by how weekends fall (13 holidays since 2025)."""
    days = (date(2019, 1, 1) + timedelta(days=number) for number in range(8 * 365 + 2))
    counted = Counter(day.year for day in days if calendar().is_working(day))
    assert counted == {
        2019: 250, 2020: 249, 2021: 250, 2022: 249, 2023: 249, 2024: 251, 2025: 248, 2026: 248,
    }  # fmt: skip
