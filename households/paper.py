"""Cards on paper: one card, a village's cards and the blank card, as PDF.

Paper speaks Chinese, whatever the reader's screen does. ID numbers, phones and accounts are masked. The PDF is made by
weasyprint, which needs pango from the system; where it is missing, `can_print` says so and pages print by their CSS.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import override

from changde.accounts.refusal import Refusal
from changde.web.badges import badge_for
from households.card_facts import facts_of, unit_of
from households.card_sections import ASSETS, BASICS, HOUSING, INCOME, LAND, MEMBERS, SECTIONS
from households.domain.explain import explain
from households.domain.fields import Field
from households.domain.index_system import IndexSystem
from households.models import IndexVersion
from households.reasons import reasons
from households.selectors.paper import PaperCard

CHINESE = "zh-hans"
STYLES = settings.BASE_DIR / "static/css/paper.css"
LONG_LIST = 12  # a list with more values is printed once at the end; the field gets a line to write on
MOST_MEMBERS = 10


@dataclass(frozen=True)
class Printed:
    """What stands at the foot of every page: who printed it, when, and for what."""

    by: str
    at: datetime
    reason: str = ""


def can_print() -> bool:
    """Whether this machine can make PDF files."""
    try:
        import weasyprint  # noqa: F401 - loads pango, or says that there is none
    except (OSError, ImportError):
        return False
    return True


def no_pango() -> str:
    """What is missing, and what to install."""
    return _(
        "这台服务器缺少排版库 pango，不能生成 PDF。请管理员安装 libpango-1.0-0、libpangoft2-1.0-0、libharfbuzz-subset0 "
        "和中文字体 fonts-noto-cjk；在此之前可用浏览器直接打印。"
    )


# -- what stands on a card ------------------------------


class Sheets:
    """Turns cards into what their template shows; remembers index versions, which many cards share."""

    def __init__(self) -> None:
        self._systems: dict[int, IndexSystem] = {}

    def facts(self, card: PaperCard) -> dict[str, Any]:
        """The context of households/paper/_card.html."""
        sheet, household = card.sheet, card.household
        left_out = {
            "village_code",
            "group",
            "address",
            "phone",
            "bank_account",
            "helper_phone",
            "request",
            "number",
            "year",
        }
        return {
            "card": card,
            "household": household,
            "sheet": sheet,
            "basics": _flat(facts_of(BASICS, household, sheet, leave_out=left_out)),
            "income": _flat(facts_of(INCOME, sheet)) if sheet else [],
            "conditions": [(section.title, _flat(facts_of(section, sheet))) for section in (HOUSING, LAND, ASSETS)]
            if sheet
            else [],
            "outcome": badge_for("outcome", card.result.outcome).label if card.result else "",
            "flags": [badge_for("flag", flag).label for flag in card.flags],
            "why": self._why(card),
            "qr": qr(settings.PUBLIC_URL + reverse("households:card", args=[household.pk])),
        }

    def _why(self, card: PaperCard) -> Any:
        if card.result is None:
            return None
        version: IndexVersion = card.result.version
        if version.pk not in self._systems:
            self._systems[version.pk] = version.system
        told = reasons(explain(self._systems[version.pk], card.result.values_by_name))
        return {
            "income": told.income,
            "score": told.score,
            "missing": [f"{line.label}（{line.read}）" for line in told.lines if line.state],
            "unknown": told.open_fields,
            "vetoes": told.vetoes,
            "exclusions": told.exclusions,
        }


def _flat(groups: Any) -> list[tuple[str, str | None]]:
    return [pair for _group, pairs in groups for pair in pairs]


def qr(address: str) -> str:
    """The address as inline SVG."""
    drawing = segno.make(address, error="m", micro=False).svg_inline(scale=4, border=2, omitsize=True)
    return mark_safe(drawing.replace("<svg ", '<svg aria-hidden="true" ', 1))


# -- the blank card ------------------------------


@dataclass(frozen=True)
class BlankField:
    """A field to fill in by hand: tick boxes, boxes for figures, or a line."""

    label: str
    unit: str
    boxes: int
    choices: tuple[str, ...]
    several: bool
    long_list: bool
    wide: bool
    form: str

    @property
    def box_range(self) -> range:
        return range(self.boxes)


def blank_facts(members: int) -> dict[str, Any]:
    """The context of households/paper/_blank.html: every field a person writes, by the sections of the form."""
    sections = [
        (section.title, [(group.title, [_blank(of) for of in group.fields]) for group in section.groups])
        for section in SECTIONS
        if section is not MEMBERS
    ]
    groups = [(group.title, [_blank(of) for of in group.fields]) for group in MEMBERS.groups]
    lists = [(_(of.header), of.values) for group in MEMBERS.groups for of in group.fields if _is_long(of)]
    return {
        "sections": sections,
        "members": range(1, members + 1),
        "member_groups": groups,
        "lists": lists,
        "qr": qr(settings.PUBLIC_URL + reverse("households:new")),
    }


def _is_long(of: Field) -> bool:
    return len(of.values) > LONG_LIST


_BOXES = {"id": 18, "certificate": 20, "year": 4, "phone": 11, "code12": 12}
_FORMS = {"date": "date", "datetime": "date"}


def _blank(of: Field) -> BlankField:
    choices = () if _is_long(of) else of.values
    return BlankField(
        label=of.header,
        unit=unit_of(of),
        boxes=_BOXES.get(of.type, 0),
        choices=choices,
        several=of.type == "enum list",
        long_list=_is_long(of),
        wide=_is_wide(of, choices),
        form="ticks" if choices else _FORMS.get(of.type, "boxes" if of.type in _BOXES else "line"),
    )


def _is_wide(of: Field, choices: tuple[str, ...]) -> bool:
    """Whether half a line is too short: about 26 characters fit, a box counts two."""
    long = len(of.header) + sum(map(len, choices)) + 2 * len(choices) > 26
    return long and bool(choices) or of.type in ("id", "certificate") or _is_prose(of)


def _is_prose(of: Field) -> bool:
    return of.attribute in ("request", "address", "out_of_school_reason", "no_id_reason")


# -- PDF ------------------------------


def card_pdf(card: PaperCard, printed: Printed) -> bytes:
    """One card. Raises Refusal where pango is missing."""
    pdf, _pages = join([card], printed, Sheets())
    return pdf


@lru_cache(maxsize=16)
def blank_pdf(members: int) -> bytes:
    """The card to fill in by hand. Nothing on it is anybody's, so it is made once (3 s) and not signed by who asks."""
    with override(CHINESE):
        context = blank_facts(members)
        return _document(render_to_string("households/paper/blank.html", context)).write_pdf()


def join(
    cards: Iterable[PaperCard], printed: Printed, sheets: Sheets, told: Callable[[], None] | None = None
) -> tuple[bytes, int]:
    """Several cards as one file, each with page numbers of its own: (PDF, pages). `told` hears of every card done.

    All pages are in memory until the file is written (about 1.5 MB a page): callers hand over a part at a time.
    """
    pages: list[Any] = []
    first = None
    with override(CHINESE):
        for card in cards:
            context = sheets.facts(card) | {"printed": printed}
            document = _document(render_to_string("households/paper/card.html", context))
            first = first or document
            pages += document.pages
            if told:
                told()
    assert first is not None, "no card to print"
    return first.copy(pages).write_pdf(), len(pages)


def parts(cards: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The cards by `size`."""
    part: list[Any] = []
    for card in cards:
        part.append(card)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


@cache
def _fonts_and_styles() -> tuple[Any, Any]:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    return fonts, CSS(filename=str(STYLES), font_config=fonts)


def _document(html: str) -> Any:
    """The laid-out pages. Nothing is fetched, whatever the text of a card says."""
    if not can_print():
        raise Refusal("no_pango", no_pango())
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    fonts, styles = _fonts_and_styles()
    source = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=()))
    return source.render(stylesheets=[styles], font_config=fonts)
