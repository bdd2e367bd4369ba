"""One line of the home page."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone


@dataclass(frozen=True)
class Task:
    """What to do, where, since when, until when. `key` is stable; `due` is the last day on which it is in time."""

    key: str
    text: str
    href: str
    icon: str
    detail: str = ""
    since: datetime | None = None
    due: date | None = None

    @property
    def days_late(self) -> int:
        return max(0, (timezone.localdate() - self.due).days) if self.due else 0
