"""What waits for a person today: small providers, one a subject, each yielding tasks that lead to the very step."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from changde.accounts.models import User
from changde.jobs.models import Job


@dataclass(frozen=True)
class Task:
    """One line of the home page. `key` is stable (tests, scripts); `due` is the last day on which it is in time."""

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


# (person, code of the division worked in) -> tasks
Provider = Callable[[User, int], Iterable[Task]]


def waiting_for(user: User, code: int) -> list[Task]:
    """Every task of the person in the division: late ones first, then by deadline, then the oldest."""
    tasks = [task for provider in PROVIDERS for task in provider(user, code)]
    ages = {task.key: task.since.timestamp() if task.since else float("inf") for task in tasks}
    return sorted(tasks, key=lambda task: (-task.days_late, task.due or date.max, ages[task.key]))


def jobs(user: User, code: int) -> Iterator[Task]:
    """The person's own background jobs: those that run, and those that failed in the last week."""
    own = Job.objects.filter(owner=user, parent=None)
    week = timezone.now() - timedelta(days=7)
    running = own.filter(state__in=Job.OPEN).order_by("pk").first()
    failed = own.filter(state=Job.State.FAILED, finished_at__gt=week).order_by("-pk").first()
    if running:
        yield Task("job_running", _("后台任务正在进行"), reverse("jobs:list"), "jobs", since=running.created_at)
    if failed:
        yield Task(
            "job_failed", _("后台任务失败，请看原因"), reverse("jobs:list"), "stop", failed.error, failed.finished_at
        )


PROVIDERS: list[Provider] = [jobs]
