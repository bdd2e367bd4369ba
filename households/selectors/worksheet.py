"""The income worksheet of one sheet as its page shows it, beside the county's yearly standard."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from households.domain.fields import by_attribute
from households.domain.income import EXPENSES, PARTS, to_fen, to_yuan
from households.domain.worksheet import PART_OF, IncomeLine
from households.domain.yearly_standard import (
    Distance,
    Range,
    Standard,
    distance,
    expected,
    expected_of_parts,
    proposals,
)
from households.line_words import size_text
from households.models import IncomeLine as Row
from households.models import MemberSheet, Sheet, YearlyStandard
from households.selectors.standards import in_force_for
from households.services.card_rows import read_lines


@dataclass(frozen=True)
class Expectation:
    """A range in yuan, and where the declared amount stands to it (None: no amount is declared)."""

    low: Decimal
    high: Decimal
    distance: Distance | None


@dataclass(frozen=True)
class ShownLine:
    """A line; `size` says mu, head or months in words."""

    row: Row
    who: str
    size: str
    expectation: Expectation | None


@dataclass(frozen=True)
class ShownPart:
    """A part of the income with its lines; `expectation` covers all its lines, where the standard knows each."""

    name: str
    label: str
    lines: tuple[ShownLine, ...]
    total: Decimal
    expectation: Expectation | None


@dataclass(frozen=True)
class ShownWorksheet:
    """`from_card` says per part what land, herds and months away let expect, whether there are lines or not."""

    standard: YearlyStandard | None
    parts: tuple[ShownPart, ...]
    from_card: tuple[tuple[str, Decimal | None, Expectation | None], ...]
    business_net: tuple[Decimal, Expectation | None] | None


def worksheet_of(sheet: Sheet, members: Sequence[MemberSheet], rows: Sequence[Row] | None = None) -> ShownWorksheet:
    """The lines of a sheet with their expectations (four queries at most). The caller may read the card.

    `rows` are the lines of a day that is past; without them those of today.
    """
    standard = in_force_for(sheet.village_id, sheet.year)
    plain = standard.plain() if standard else None
    persons = [member.person_id for member in members]
    rows = list(sheet.lines.select_related("person")) if rows is None else rows
    lines = read_lines(rows, persons)
    parts = []
    for name in PARTS:
        own = [(row, line) for row, line in zip(rows, lines, strict=True) if line.part == name]
        if own:
            parts.append(_part(name, own, plain))
    if plain is None:
        return ShownWorksheet(None, tuple(parts), (), None)
    found = proposals(plain, sheet, members)
    from_card = tuple(
        (_label(part), getattr(sheet, part), _expectation(getattr(sheet, part), range_, plain))
        for part, range_ in expected_of_parts(plain, found).items()
    )
    return ShownWorksheet(standard, tuple(parts), from_card, _business_net(sheet, plain, found))


def _part(name: str, own: list[tuple[Row, IncomeLine]], standard: Standard | None) -> ShownPart:
    shown = tuple(
        ShownLine(
            row,
            row.person.name if row.person else "",
            size_text(row.kind, row.quantity, row.months),
            _expectation(row.amount, expected(standard, line), standard) if standard else None,
        )
        for row, line in own
    )
    total = to_yuan(sum(line.fen for _, line in own))
    range_ = expected_of_parts(standard, [line for _, line in own]).get(name) if standard else None
    return ShownPart(name, _label(name), shown, total, _expectation(total, range_, standard) if standard else None)


def _label(part: str) -> str:
    return gettext(by_attribute("sheet", part).header)


def _expectation(yuan: Decimal | None, range_: Range | None, standard: Standard) -> Expectation | None:
    if range_ is None:
        return None
    place = None if yuan is None else distance(to_fen(yuan), range_, standard.tolerance)
    return Expectation(to_yuan(range_.low), to_yuan(range_.high), place)


def _business_net(sheet: Sheet, standard: Standard, found: Sequence[Any]) -> tuple[Decimal, Expectation | None] | None:
    """Business income less production expenses against the net values of land and herds."""
    range_ = expected_of_parts(standard, found, net=True).get(PART_OF["crop"])
    if range_ is None or sheet.business_income is None or sheet.production_expenses is None:
        return None
    net = sheet.business_income - getattr(sheet, EXPENSES)
    return net, _expectation(net, range_, standard)
