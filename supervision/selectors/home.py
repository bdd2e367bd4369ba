"""What waits for a person today, in the order in which it should be done."""

from datetime import date

from changde.accounts.models import User
from supervision.selectors.tasks import Task
from supervision.selectors.waiting import PROVIDERS


def waiting_for(user: User, code: int) -> list[Task]:
    """Every task of the person in the division: late ones first, then by deadline, then the oldest."""
    tasks = [task for provider in PROVIDERS for task in provider(user, code) if task.href]
    return sorted(tasks, key=_urgency)


def _urgency(task: Task) -> tuple[int, date, float]:
    return -task.days_late, task.due or date.max, task.since.timestamp() if task.since else float("inf")
