"""Per-capita net income by one strict method, in integer fen.

    transfer   = family planning + dibao + wubao + pension + ecological compensation + other transfer
    net income = wage + business + property + transfer - production expenses          (may be negative)

Columns in, columns out. A missing amount is unknown, never zero: a sum with an unknown part is unknown. Nothing is
divided or rounded before the comparison with a line: a household is below it when net < line x members. The worked
example is in docs/income.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # loaded by what works on columns: who reads a workbook ahead wants the figures of one card alone
    import pandas as pd

EARNINGS = ("wage_income", "business_income", "property_income")
TRANSFERS = ("family_planning", "dibao", "wubao", "pension", "ecological_compensation", "other_transfer")
EXPENSES = "production_expenses"
PARTS = (*EARNINGS, *TRANSFERS, EXPENSES)

NUMBER = "Int64"


def to_fen(yuan: Decimal | int | str) -> int:
    """Fen of an amount in yuan; an amount with parts of a fen is a ValueError."""
    fen = Decimal(yuan) * 100
    if fen != fen.to_integral_value():
        raise ValueError(f"{yuan} yuan is not a whole number of fen")
    return int(fen)


def to_yuan(fen: int) -> Decimal:
    """The amount in yuan, two places."""
    return Decimal(int(fen)).scaleb(-2)


def per_capita(net_income: int, members: int) -> int:
    """Per-capita net income in fen for display, half a fen rounded away from zero. Never used to decide."""
    return int((Decimal(net_income) / members).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def whole_numbers(column: pd.Series) -> pd.Series:
    """The column as nullable whole numbers; a fraction is a ValueError, because fen and persons have none."""
    import numpy as np
    import pandas as pd

    if column.dtype == NUMBER:
        return column
    known = column.notna()
    figures = pd.to_numeric(column[known])
    if not np.array_equal(figures, np.trunc(figures)):
        raise ValueError(f"{column.name}: not whole numbers")
    out = pd.Series(pd.NA, index=column.index, dtype=NUMBER, name=column.name)
    out[known] = figures.astype("int64")
    return out


def income(cards: pd.DataFrame) -> pd.DataFrame:
    """Transfer and net income of each household in fen, NA where a part is unknown.

    `cards` has one row per household and the columns of PARTS.
    """
    import pandas as pd

    parts = {name: whole_numbers(cards[name]) for name in PARTS}
    transfer = sum((parts[name] for name in TRANSFERS[1:]), start=parts[TRANSFERS[0]])
    earned = sum((parts[name] for name in EARNINGS[1:]), start=parts[EARNINGS[0]])
    return pd.DataFrame({"transfer_income": transfer, "net_income": earned + transfer - parts[EXPENSES]})


def member_counts(counts: bool | None, soldier: bool | None) -> bool:
    """Does a member count in per-capita income? The field decides, empty counts; an active soldier never does."""
    return counts is not False and soldier is not True


def counting_members(members: pd.Series) -> pd.Series:
    """Members who count; a card without any cannot be judged, so that none is unknown."""
    counted = whole_numbers(members)
    return counted.mask(counted < 1)


def below(net_income: pd.Series, members: pd.Series, line: int) -> pd.Series:
    """Is the household below a line in fen a person? Equal is not below; NA where income or members are unknown."""
    return (whole_numbers(net_income) < counting_members(members) * line).rename("below")


@dataclass(frozen=True, slots=True)
class IncomeRow:
    """One line of the worksheet: the field's name, how it enters the sum, fen or None when unknown."""

    field: str
    sign: Literal["+", "-", "="]
    fen: int | None


def explain_income(values: Mapping[str, int | None]) -> list[IncomeRow]:
    """The worksheet of one household, line by line, from the fen of PARTS."""
    import pandas as pd

    card = pd.DataFrame({name: pd.Series([values[name]], dtype=NUMBER) for name in PARTS})
    sums = income(card).iloc[0]

    def line(field: str, sign: Literal["+", "-", "="], fen: int | None) -> IncomeRow:
        return IncomeRow(field, sign, None if fen is None or fen is pd.NA else int(fen))

    return [
        *(line(name, "+", values[name]) for name in TRANSFERS),
        line("transfer_income", "=", sums["transfer_income"]),
        *(line(name, "+", values[name]) for name in EARNINGS),
        line("transfer_income", "+", sums["transfer_income"]),
        line(EXPENSES, "-", values[EXPENSES]),
        line("net_income", "=", sums["net_income"]),
    ]
