"""Columns of the card list: what each is called, what it says of a card. One table for the page and for exports."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from households.domain.fields import by_attribute

Kind = Literal["text", "choice", "count", "money", "moment", "status", "outcome", "flags"]


@dataclass(frozen=True)
class Column:
    """`value` reads a card as selectors.cards.with_year leaves it (sheet, result and flags of the year beside it)."""

    name: str
    words: str | Promise
    kind: Kind
    value: Callable[[Any], Any]
    minor: bool = True

    @property
    def label(self) -> str:
        words = _(self.words) if isinstance(self.words, str) else str(self.words)
        return _("%(label)s（元）") % {"label": words} if self.kind == "money" else words

    @property
    def is_figure(self) -> bool:
        return self.kind in ("count", "money")


def _of_card(attribute: str, kind: Kind, words: str | Promise = "", *, minor: bool = True) -> Column:
    words = words or by_attribute("household", attribute).header
    return Column(attribute, words, kind, lambda card: getattr(card, attribute), minor)


def _of_sheet(attribute: str, kind: Kind, *, minor: bool = True) -> Column:
    words = by_attribute("sheet", attribute).header
    return Column(attribute, words, kind, lambda card: getattr(card.sheet, attribute) if card.sheet else None, minor)


COLUMNS: tuple[Column, ...] = (
    _of_card("number", "text"),
    _of_card("group", "text"),
    _of_card("persons", "count", gettext_lazy("人口"), minor=False),
    Column("status", gettext_lazy("状态"), "status", lambda card: card.status),
    Column("outcome", gettext_lazy("识别结果"), "outcome", lambda card: card.result and card.result.outcome, False),
    Column("flags", gettext_lazy("标记"), "flags", lambda card: card.flags),
    _of_sheet("attribute", "choice"),
    _of_sheet("exit_flag", "choice"),
    _of_sheet("main_cause", "choice"),
    _of_sheet("other_causes", "choice"),
    _of_sheet("per_capita_income", "money", minor=False),
    _of_sheet("net_income", "money"),
    _of_sheet("wage_income", "money"),
    _of_sheet("business_income", "money"),
    _of_sheet("property_income", "money"),
    _of_sheet("transfer_income", "money"),
    _of_sheet("production_expenses", "money"),
    _of_sheet("medical_cost", "money"),
    _of_sheet("house_grade", "choice"),
    _of_card("helper_name", "text"),
    _of_sheet("entered_by", "text"),
    _of_card("changed_at", "moment", gettext_lazy("修改时间")),
)
BY_NAME = {column.name: column for column in COLUMNS}
STANDARD = ("number", "persons", "status", "outcome", "main_cause", "per_capita_income")


def named(names: Iterable[str]) -> Sequence[Column]:
    """The columns of these names in the order of the table; names that are gone are left out."""
    wanted = frozenset(names)
    return [column for column in COLUMNS if column.name in wanted]
