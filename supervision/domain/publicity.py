"""The publicity of a list: its days, its states, what may be done in each, and by whom not. Pure.

Definitions and worked dates: docs/publicity.md.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

FIRST, SECOND = STEPS = ("first", "second")
DRAFT, POSTED, RUNNING, ENDED, SUPERSEDED = STATES = ("draft", "posted", "running", "ended", "superseded")

EDIT, DISCARD, POST, OBJECT, CORRECT, FOLLOW, SHOW = ACTIONS = (
    "edit",
    "discard",
    "post",
    "object",
    "correct",
    "follow",  # draft the second list upon the first
    "show",  # names on the public pages
)
_ALLOWED = {
    DRAFT: {EDIT, DISCARD, POST},
    POSTED: {OBJECT, CORRECT, SHOW},
    RUNNING: {OBJECT, CORRECT, SHOW},
    ENDED: {CORRECT, FOLLOW},
    SUPERSEDED: set(),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a county may set; the defaults of the city."""

    days: int = 7
    objection_working_days: int = 5


DEFAULT = Rules()


class Period(NamedTuple):
    """`starts` is the first moment, `ends` the first moment after the period (24:00 of its last day)."""

    starts: datetime
    ends: datetime

    @property
    def last_day(self) -> datetime:
        return self.ends - timedelta(days=1)


def period(posted_at: datetime, days: int) -> Period:
    """Publicity of N days begins at 00:00 of the day after posting and ends at 24:00 of the Nth day, in Shanghai.

    `posted_at` is aware, in any zone: the day of posting is the day in Shanghai. `days` is at least 1.
    """
    if posted_at.tzinfo is None:
        raise ValueError("the moment of posting needs a time zone")
    if days < 1:
        raise ValueError("publicity lasts at least one day")
    day = posted_at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    starts = day + timedelta(days=1)
    return Period(starts, starts + timedelta(days=days))


def state(now: datetime, posted: Period | None, superseded: bool = False) -> str:
    """The state of a list at `now`; `posted` is None for a draft, `superseded` when a correction was posted."""
    if posted is None:
        return DRAFT
    if superseded:
        return SUPERSEDED
    if now < posted.starts:
        return POSTED
    return RUNNING if now < posted.ends else ENDED


def allows(action: str, at: str) -> bool:
    """May the action be taken on a list in this state, whoever takes it?"""
    if action not in ACTIONS:
        raise KeyError(action)
    return action in _ALLOWED[at]


def may_post(step: str, poster: int, maker: int, first: Collection[int] = ()) -> bool:
    """A list is never posted by who made it, a second list neither by who made or posted the first (`first`)."""
    return poster != maker and (step == FIRST or poster not in first)


def may_decide_objection(decider: int, maker: int, poster: int) -> bool:
    """An objection is never decided by who made or posted the list it is raised against."""
    return decider not in (maker, poster)
