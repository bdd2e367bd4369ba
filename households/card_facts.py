"""Facts of a card as pages print them: label, value in words, unit; by the sections of the form."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changde.web.templatetags.web import amount, day, number
from households.card_sections import OPTIONAL, Group, Section
from households.domain.fields import Field

_UNITS = {
    "yuan/year": gettext_lazy("元/年"),
    "mu": gettext_lazy("亩"),
    "head": gettext_lazy("头（只）"),
    "km": gettext_lazy("公里"),
    "m2": gettext_lazy("平方米"),
    "months": gettext_lazy("个月"),
    "persons": gettext_lazy("人"),
}
Facts = list[tuple[Group, list[tuple[str, str | None]]]]


def unit_of(of: Field) -> str:
    return str(_UNITS.get(of.unit, ""))


def in_words(of: Field, value: Any) -> str | None:
    """A stored value as people read it; None (unknown) stays None. Personal numbers do not come here."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, (list, tuple)):
        return "、".join(_(each) for each in value)
    if of.type == "money":
        return _("%(amount)s 元") % {"amount": amount(value)}
    if isinstance(value, Decimal):
        return f"{number(value, _places(value))} {unit_of(of)}".strip()
    if of.type == "integer":
        return f"{number(value)} {unit_of(of)}".strip()
    if of.type in ("date", "datetime"):
        return day(value)
    return _(str(value)) if of.values else str(value)


def facts_of(section: Section, *sources: Any, leave_out: Iterable[str] = ()) -> Facts:
    """(group, [(label, value)]) of a section; each value from the first of `sources` that has the attribute.

    A field that may honestly stay empty is left out when it is; any other one is shown as unknown (None).
    """
    leave_out = frozenset(leave_out)
    return [
        (
            group,
            [
                (_(of.header), shown)
                for of in group.fields
                if of.attribute not in leave_out
                and ((shown := in_words(of, _value(of, sources))) is not None or of.attribute not in OPTIONAL)
            ],
        )
        for group in section.groups
    ]


def _value(of: Field, sources: tuple[Any, ...]) -> Any:
    for source in sources:
        if source is not None and hasattr(source, of.attribute):
            return getattr(source, of.attribute)
    return None


def _places(value: Decimal) -> int:
    """Decimals that say something: 4.20 mu is 4.2."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
