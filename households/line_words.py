"""A line of the income worksheet in words, for pages, the history and the choice between two versions."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.web.templatetags.web import amount as amount_text
from households.domain.income import to_yuan
from households.domain.worksheet import ANIMAL, CROP
from households.domain.worksheet import IncomeLine as Line
from households.models import IncomeLine

_UNITS = {
    CROP: gettext_lazy("亩"),
    ANIMAL: gettext_lazy("头（只）"),
    "land_rent": gettext_lazy("亩"),
    "rent_paid": gettext_lazy("亩"),
}


def unit_of_line(kind: str) -> str:
    """What the quantity of a line counts; "" where it has none."""
    return str(_UNITS.get(kind, ""))


def row_text(row: Any) -> str:
    """A row of the worksheet, or of its history: 种植 水稻 4.2 亩 4,000 元（估计）."""
    return _text(row.kind, row.item, row.quantity, row.months, row.amount, row.known)


def line_text(line: Line, who: str = "") -> str:
    """The same of a typed line; `who` earned it."""
    return _text(line.kind, line.item, line.quantity, line.months, to_yuan(line.fen), line.known, who)


def size_text(kind: str, quantity: Decimal | None, months: int | None) -> str:
    """4.2 亩, 3 头（只）, 10 个月; "" where the line counts nothing."""
    words = [] if quantity is None else [f"{quantity.normalize():f} {unit_of_line(kind)}".strip()]
    if months is not None:
        words.append(_("%(number)s 个月") % {"number": months})
    return " ".join(words)


def _text(
    kind: str, item: str | None, quantity: Decimal | None, months: int | None, yuan: Decimal, known: str, who: str = ""
) -> str:
    amount = _("%(amount)s 元（%(known)s）") % {
        "amount": amount_text(yuan),
        "known": IncomeLine.Known(known).label,
    }
    words = (str(IncomeLine.Kind(kind).label), who, item, size_text(kind, quantity, months), amount)
    return " ".join(word for word in words if word)
