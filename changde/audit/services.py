"""Writing the log, and telling the row history who acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pghistory
from django.db import connection, models

from changde.audit.models import Event

Target = models.Model | tuple[str, int | str] | None


def _named(target: Target) -> tuple[str, str]:
    if target is None:
        return "", ""
    if isinstance(target, models.Model):
        return target._meta.label_lower, str(target.pk)
    return target[0], str(target[1])


def _write(kind: str, verb: str, by: Any, target: Target, area: int | None, facts: dict[str, Any]) -> Event:
    target_kind, target_id = _named(target)
    return Event.objects.create(
        kind=kind,
        verb=verb,
        actor=by if by is not None and by.is_authenticated else None,
        target_kind=target_kind,
        target_id=target_id,
        area=area,
        facts=facts,
    )


def record(verb: str, *, by: Any, target: Target = None, area: int | None = None, **facts: Any) -> Event:
    """Log a write. Must stand in the same transaction as the write: both happen or neither.

    `by` is the user, or None for the system itself. `facts` hold no personal data.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"audit of {verb} outside a transaction")
    return _write(Event.Kind.WRITE, verb, by, target, area, facts)


def record_read(verb: str, *, by: Any, target: Target = None, area: int | None = None, **facts: Any) -> Event:
    """Log a read of a card or of sensitive fields; one event for one page, however many rows it shows."""
    return _write(Event.Kind.READ, verb, by, target, area, facts)


def record_export(verb: str, *, by: Any, target: Target = None, area: int | None = None, **facts: Any) -> Event:
    """Log a file that leaves the system."""
    return _write(Event.Kind.EXPORT, verb, by, target, area, facts)


@contextmanager
def acting(by: Any, **why: Any) -> Iterator[None]:
    """Rows changed inside carry the actor in their history (commands and jobs; requests have the middleware)."""
    with pghistory.context(user=by.pk if by is not None else None, **why):
        yield
