"""What an import that is taken back must leave alone."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q

from supervision.models.publicity import ListEntry


def on_lists_since(households: Collection[int], since: datetime) -> Iterable[int]:
    """Those of the households that a list drafted or posted since then names (households.services.undo asks)."""
    entries = ListEntry.objects.filter(household__in=households)
    entries = entries.filter(
        Q(publicity_list__drafted_at__gte=since) | Q(publicity_list__snapshot__posted_at__gte=since)
    )
    return entries.values_list("household_id", flat=True)
