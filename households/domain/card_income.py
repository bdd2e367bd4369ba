"""The worked-out figures of one card: parts from their lines (domain.worksheet), totals from the parts (domain.income).

Amounts in yuan.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from households.domain.card import Card
from households.domain.income import EARNINGS, EXPENSES, TRANSFERS, per_capita, to_fen, to_yuan
from households.domain.worksheet import IncomeLine, sums


def with_lines(card: Card) -> Card:
    """The card with every part that has lines set to their sum, whatever was typed there."""
    parts: dict[str, Any] = {part: to_yuan(fen) for part, fen in sums(card.lines).items()}
    return replace(card, sheet=replace(card.sheet, **parts)) if parts else card


def standing(lines: tuple[IncomeLine, ...], card: Card) -> tuple[IncomeLine, ...]:
    """The lines of the parts that are still their sum on `card`; a part brought with another total has no lines."""
    kept = {part for part, fen in sums(lines).items() if getattr(card.sheet, part) == to_yuan(fen)}
    return tuple(line for line in lines if line.part in kept)


def with_income(card: Card) -> Card:
    """The card with its parts and with transfer, net and per-capita income; unknown where a part is unknown."""
    card = with_lines(card)
    sheet = card.sheet
    transfer = _sum([getattr(sheet, part) for part in TRANSFERS])
    gross = _sum([*(getattr(sheet, part) for part in EARNINGS), transfer])
    expenses = getattr(sheet, EXPENSES)
    net = None if gross is None or expenses is None else gross - expenses
    head = to_yuan(per_capita(to_fen(net), card.counted)) if net is not None and card.counted else None
    return replace(card, sheet=replace(sheet, transfer_income=transfer, net_income=net, per_capita_income=head))


def _sum(parts: list[Decimal | None]) -> Decimal | None:
    return None if None in parts else sum((part for part in parts if part is not None), Decimal(0))
