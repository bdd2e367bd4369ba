"""Until when one may object to the lists that judge a household, and where; filled by the app that posts the lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from households.models import Household


@dataclass(frozen=True)
class ObjectionPeriod:
    """The period of a posted list of a household's village.

    `what` names the list's step; `begins` and `last_day` are days in Shanghai, the period ends at 24:00 of the last;
    `over` says that it has. `listed` says whether the household stands on the list (None once the period is over: its
    names are public no longer). `address` is the list's public page, `place` the township, where one objects in person.
    """

    what: str
    begins: date
    last_day: date
    over: bool
    listed: bool | None
    address: str
    place: str


# (households, accounting year) -> the periods by household, the earliest first
Source = Callable[[Sequence[Household], int], dict[int, list[ObjectionPeriod]]]
_SOURCES: list[Source] = []


def register_source(source: Source) -> None:
    """An upper app says which lists were posted; called in AppConfig.ready."""
    _SOURCES.append(source)


def objection_periods(households: Sequence[Household], year: int) -> dict[int, list[ObjectionPeriod]]:
    """By household; without an entry: no list of the year stands in its village. The caller has checked that the cards
    may be read."""
    found: dict[int, list[ObjectionPeriod]] = {}
    for source in _SOURCES:
        for household, periods in source(households, year).items():
            found.setdefault(household, []).extend(periods)
    return found
