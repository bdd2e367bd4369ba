"""Working days: weekends are free, public holidays are free, make-up days are worked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

HOLIDAY, WORKDAY = "holiday", "workday"


@dataclass(frozen=True, slots=True)
class Calendar:
    """What differs from Monday to Friday: `free` days and weekend days that are `worked`."""

    free: frozenset[date]
    worked: frozenset[date]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> "Calendar":
        """From rows with `date` (ISO) and `kind` (holiday or workday). ValueError for another kind."""
        days: dict[str, set[date]] = {HOLIDAY: set(), WORKDAY: set()}
        for row in rows:
            if row["kind"] not in days:
                raise ValueError(f"{row['date']}: {row['kind']} is neither {HOLIDAY} nor {WORKDAY}")
            days[row["kind"]].add(date.fromisoformat(row["date"]))
        return cls(frozenset(days[HOLIDAY]), frozenset(days[WORKDAY]))

    def is_working(self, day: date) -> bool:
        return day in self.worked or (day.weekday() < 5 and day not in self.free)


def add_working_days(start: date, count: int, calendar: Calendar) -> date:
    """The `count`-th working day after `start`; the day itself does not count. `count` is at least 1."""
    if count < 1:
        raise ValueError("a deadline lies at least one working day ahead")
    day = start
    while count:
        day += timedelta(days=1)
        count -= calendar.is_working(day)
    return day
