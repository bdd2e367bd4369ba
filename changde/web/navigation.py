"""The rail: each app registers its entries in AppConfig.ready; who holds the capability sees them.

At most `RAIL_LENGTH` stand in the rail and `TABBAR_LENGTH` in the bar of a phone; the rest is under "more".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

RAIL_LENGTH = 7
TABBAR_LENGTH = 4


@dataclass(frozen=True)
class Entry:
    """One entry of the rail. `capability` empty: for everybody who is logged in. Lower `order` stands higher."""

    key: str
    label: str | Promise
    url_name: str
    icon: str
    capability: str = ""
    order: int = 50


_ENTRIES: dict[str, Entry] = {}


def register(
    key: str, label: str | Promise, url_name: str, icon: str, capability: str = "", *, order: int = 50
) -> None:
    """Offer a page in the rail; the same key registered again replaces the entry."""
    _ENTRIES[key] = Entry(key, label, url_name, icon, capability, order)


def entries() -> list[Entry]:
    """All entries in their order, whoever may see them."""
    return sorted(_ENTRIES.values(), key=lambda entry: (entry.order, entry.key))


@dataclass(frozen=True)
class Link:
    """An entry made ready for one request."""

    key: str
    label: str | Promise
    url: str
    icon: str
    current: bool


def links_for(user: Any, path: str) -> list[Link]:
    """The entries this user may open; the one whose address is the longest beginning of `path` is current."""
    allowed = [entry for entry in entries() if not entry.capability or user.can(entry.capability)]
    reachable = [(entry, url) for entry, url in ((entry, _address(entry)) for entry in allowed) if url]
    current = _current(path, [url for _, url in reachable])
    return [Link(entry.key, entry.label, url, entry.icon, url == current) for entry, url in reachable]


def _address(entry: Entry) -> str:
    try:
        return reverse(entry.url_name)
    except NoReverseMatch:
        return ""


def _current(path: str, urls: Iterable[str]) -> str:
    matching = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(matching, key=len, default="")
