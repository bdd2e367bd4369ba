"""Which rows a person may see: ranges of division codes from posts, single households from grants."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from changde.accounts.models import Grant, User
from changde.accounts.roles import CAPABILITIES, Role
from changde.divisions.codes import code_range
from changde.divisions.models import Division


def ranges_of(user: User | AnonymousUser, capability: str) -> list[tuple[int, int]]:
    """Code ranges of the posts whose role holds `capability`; none for a stranger.

    A helper's post opens no area: helpers see the households granted to them, one by one.
    """
    if not user.is_authenticated or not user.is_active:
        return []
    holders = CAPABILITIES[capability]
    return [code_range(post.division_id) for post in user.open_posts if post.role in holders - {Role.HELPER}]


def covers(user: User | AnonymousUser, capability: str, code: int) -> bool:
    """May the person use `capability` in the division `code`?"""
    return any(first <= code <= last for first, last in ranges_of(user, capability))


def between(path: str, first: int, last: int) -> Q:
    """Codes from first to last, both inclusive (a foreign key knows no `range` lookup; the plan is the same)."""
    return Q(**{f"{path}__gte": first, f"{path}__lte": last})


class ScopedQuerySet(models.QuerySet):
    """Rows of people. `visible_to` is the only door; a subclass names its columns and its capability.

    `area_field` is the path to a 12-digit code, `household_field` the path to a household id (None: grants do not
    open these rows), `read_capability` the verb a role must hold.
    """

    area_field = "village_id"
    household_field: str | None = None
    read_capability = "read_cards"

    def visible_to(self, user: User | AnonymousUser, capability: str | None = None) -> Any:
        capability = capability or self.read_capability
        scope = Q()
        for first, last in ranges_of(user, capability):
            scope |= between(self.area_field, first, last)
        if self.household_field and user.is_authenticated and user.can(capability):
            granted = list(
                Grant.objects.on(timezone.localdate()).filter(user=user).values_list("household_id", flat=True)
            )
            if granted:
                scope |= Q(**{f"{self.household_field}__in": granted})
        return self.filter(scope) if scope else self.none()

    def within(self, code: int) -> Any:
        """Rows of the division `code` and everything below it."""
        return self.filter(between(self.area_field, *code_range(code)))


@dataclass(frozen=True)
class Area:
    """What the request's person works in: the chosen division and all posts."""

    division: Division | None
    divisions: tuple[Division, ...]

    @property
    def code(self) -> int | None:
        return self.division.code if self.division else None
