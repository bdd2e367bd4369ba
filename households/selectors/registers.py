"""What the pages of department registers read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from changde.accounts.areas import between, covers, ranges_of
from changde.accounts.models import Post, User
from changde.accounts.roles import Role
from changde.divisions.codes import Level
from changde.divisions.models import Division
from changde.web.keyset import KeysetPage
from households.domain.registers import layout
from households.models import RegisterEntry, RegisterKeeper, RegisterKind, RegisterVersion
from households.register_messages import REGISTER_RULES


def versions_of(user: User) -> QuerySet[RegisterVersion]:
    """Versions one may open, without their files."""
    found = RegisterVersion.objects.visible_to(user).defer("file_cipher")
    return found.select_related("owner", "division", "job")


def version_list(user: User, parameters: Mapping[str, Any]) -> KeysetPage:
    """Versions newest first; each has `look`, the name of its badge. Two queries."""
    page = KeysetPage(versions_of(user), parameters, order=["-id"])
    taken = [version.pk for version in page.rows if version.is_taken]
    in_force = set(RegisterVersion.objects.in_force().filter(pk__in=taken).values_list("pk", flat=True))
    for version in page.rows:
        version.look = _look(version, in_force)
    return page


def look_of(version: RegisterVersion) -> str:
    """Its badge: the state, or that a later version has replaced it."""
    return _look(version, RegisterVersion.objects.in_force().filter(pk=version.pk).values_list("pk", flat=True))


def _look(version: RegisterVersion, in_force: Iterable[int]) -> str:
    return "replaced" if version.state == "done" and version.pk not in in_force else version.state


def may_decide(user: User, version: RegisterVersion) -> bool:
    """Who brought it, and the offices whose area it covers, take it into force or withdraw it."""
    return version.owner_id == user.pk or covers(user, "read_registers", version.division_id)


def places_of(user: User) -> QuerySet[Division]:
    """The city and counties a person may bring a table for."""
    places = Q(pk__in=())
    for first, last in ranges_of(user, "bring_registers"):
        places |= Q(code__range=(first, last))
    levels = (Level.CITY, Level.COUNTY)
    return Division.objects.current().filter(places, level__in=levels).order_by("level", "code")


def foreseen_of(version: RegisterVersion) -> list[tuple[Any, int]]:
    """What a checked version would bring, rule by rule in words, the most first."""
    counts = sorted(version.foreseen.items(), key=lambda each: (-each[1], each[0]))
    return [(REGISTER_RULES.get(rule, rule), count) for rule, count in counts]


@dataclass(frozen=True)
class ShownEntry:
    """An entry as a page shows it: the number masked, what is sealed left out."""

    row: int
    number: str
    cells: list[tuple[str, Any]]  # header, value


def entry_page(
    user: User, version: RegisterVersion, parameters: Mapping[str, Any]
) -> tuple[KeysetPage, list[str], list[ShownEntry]]:
    """Entries of a version in the order of the file, their open columns, and what each shows."""
    entries = RegisterEntry.objects.visible_to(user).filter(version=version)
    page = KeysetPage(entries, parameters, order=["id"])
    columns = [column for column in layout(version.kind) if not column.sealed]
    shown = [
        ShownEntry(
            entry.row, entry.masked_number, [(column.of.header, entry.facts.get(column.name)) for column in columns]
        )
        for entry in page.rows
    ]
    return page, [column.of.header for column in columns], shown


@dataclass(frozen=True)
class Department:
    """A department's person and what they bring."""

    user: User
    place: str
    kinds: frozenset[str]


def departments_of(user: User) -> list[Department]:
    """People of departments in one's area. Two queries."""
    places = Q(pk__in=())
    for first, last in ranges_of(user, "read_registers"):
        places |= between("division_id", first, last)
    posts = Post.objects.on(timezone.localdate()).filter(places, role=Role.DEPARTMENT, user__is_active=True)
    by_user = {post.user_id: post for post in posts.select_related("user", "division").order_by("-division_id")}
    kinds: dict[int, set[str]] = {pk: set() for pk in by_user}
    for pk, kind in RegisterKeeper.objects.filter(user__in=by_user).values_list("user_id", "kind"):
        kinds[pk].add(kind)
    return [
        Department(post.user, post.division.name, frozenset(kinds[pk]))
        for pk, post in sorted(by_user.items(), key=lambda each: (each[1].division_id, each[1].user.name))
    ]


def kind_labels(kinds: Iterable[str]) -> list[Any]:
    """Names of registers in their usual order."""
    chosen = set(kinds)
    return [label for kind, label in RegisterKind.choices if kind in chosen]
