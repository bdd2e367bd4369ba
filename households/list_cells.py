"""Cells of the card list as HTML, a column at a time: what the cells of a column share is worked out once a page.

A template asked of each of three hundred cells which kind of column it stands in; that was a third of the page's time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from changde.web.templatetags import web
from households.columns import Column

Write = Callable[[Any, Any], str]  # (value, card) -> HTML


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    label: str
    is_figure: bool


def heads_of(columns: Iterable[Column]) -> list[Head]:
    return [Head(column.label, column.is_figure) for column in columns]


def write_cells(cards: Iterable[Any], columns: Sequence[Column], year: int | None) -> None:
    """Give each card of a page (see selectors.cards.with_year) its `cells`: the <td> of every column, in order."""
    written = [(_opening(column), column.value, _writer(column, year)) for column in columns]
    for card in cards:
        # Every part is escaped: openings by format_html, contents by their writers.
        card.cells = mark_safe(
            "".join(f"{opening}{write(value(card), card)}</td>" for opening, value, write in written)
        )


def _opening(column: Column) -> SafeString:
    classes = " ".join(name for name, on in (("num", column.is_figure), ("cell-minor", column.minor)) if on)
    return format_html('<td{} data-label="{}">', format_html(' class="{}"', classes) if classes else "", column.label)


def _writer(column: Column, year: int | None) -> Write:
    return _KINDS[column.kind](year)


def _money(year: int | None) -> Write:
    words = _("无 %(year)s 年度表") % {"year": year} if year else _("无年度表")
    none = format_html('<span class="unknown">{}</span>', words)
    return lambda value, card: conditional_escape(web.amount(value)) if card.sheet else none


def _plain(year: int | None) -> Write:
    return lambda value, card: conditional_escape(value or "")


def _count(year: int | None) -> Write:
    return lambda value, card: conditional_escape(value)


def _moment(year: int | None) -> Write:
    return lambda value, card: conditional_escape(web.moment(value))


def _choice(year: int | None) -> Write:
    word = cache(_)

    def write(value: Any, card: Any) -> str:
        values = value if isinstance(value, list) else [value] if value else []
        return conditional_escape("、".join(map(word, values)))

    return write


def _status(year: int | None) -> Write:
    mark = cache(lambda value: web.badge("status", value))
    return lambda value, card: mark(value)


def _outcome(year: int | None) -> Write:
    none = format_html('<span class="tags"><span class="muted">{}</span></span>', _("尚未测算"))

    @cache
    def mark(value: str, stale: bool) -> SafeString:
        marks = [("outcome", value), *([("flag", "stale")] if stale else [])]
        return format_html('<span class="tags">{}</span>', _badges(marks))

    return lambda value, card: mark(value, card.result.stale) if value else none


def _flags(year: int | None) -> Write:
    @cache
    def mark(flags: tuple[str, ...]) -> SafeString:
        return format_html('<span class="tags">{}</span>', _badges([("flag", flag) for flag in flags]))

    return lambda value, card: mark(tuple(value)) if value else ""


def _badges(marks: Iterable[tuple[str, str]]) -> SafeString:
    return format_html_join("", "{}", ((web.badge(kind, value),) for kind, value in marks))


_KINDS: dict[str, Callable[[int | None], Write]] = {
    "text": _plain,
    "choice": _choice,
    "count": _count,
    "money": _money,
    "moment": _moment,
    "status": _status,
    "outcome": _outcome,
    "flags": _flags,
}
