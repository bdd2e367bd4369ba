"""The worked-out figures of one card: transfer, net and per-capita income in yuan, from its parts (domain.income)."""

from dataclasses import replace
from decimal import Decimal

from households.domain.card import Card
from households.domain.income import EARNINGS, EXPENSES, TRANSFERS, per_capita, to_fen, to_yuan


def with_income(card: Card) -> Card:
    """The card with transfer, net and per-capita income worked out; unknown where a part is unknown."""
    sheet = card.sheet
    transfer = _sum([getattr(sheet, part) for part in TRANSFERS])
    gross = _sum([*(getattr(sheet, part) for part in EARNINGS), transfer])
    expenses = getattr(sheet, EXPENSES)
    net = None if gross is None or expenses is None else gross - expenses
    head = to_yuan(per_capita(to_fen(net), card.counted)) if net is not None and card.counted else None
    return replace(card, sheet=replace(sheet, transfer_income=transfer, net_income=net, per_capita_income=head))


def _sum(parts: list[Decimal | None]) -> Decimal | None:
    return None if None in parts else sum((part for part in parts if part is not None), Decimal(0))
