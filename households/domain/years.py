"""Accounting years: year Y runs from 1 October Y-1 to 30 September Y."""

from datetime import date

FIRST_YEAR, LAST_YEAR = 2010, 2100


def last_full_year(day: date) -> int:
    """The latest accounting year that is over on `day`."""
    return day.year if day.month >= 10 else day.year - 1


def year_of(text: str) -> int | None:
    """A year as an address names it; None when it names none that a card can have."""
    year = int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else None
