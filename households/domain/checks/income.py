"""Checks of income: sums and plausibility."""

from collections.abc import Iterator
from decimal import Decimal

from households.domain.card import Card, Finding
from households.domain.checks.core import Context, check, red, yellow

TRANSFER_PARTS = ("family_planning", "dibao", "wubao", "pension", "ecological_compensation", "other_transfer")
GROSS_LINES = ("wage_income", "business_income", "property_income", *TRANSFER_PARTS)
_NOT_NEGATIVE = (*GROSS_LINES, "transfer_income", "production_expenses", "medical_cost")
LAND = ("cultivated_land", "irrigated_land", "forest_land", "converted_forest", "orchard", "pasture", "water_surface")


def _total(card: Card, *names: str) -> Decimal | None:
    """Sum of the named lines; None when one is unknown."""
    amounts = [getattr(card.sheet, name) for name in names]
    return None if None in amounts else sum(amounts, Decimal())


@check("income-sum")
def income_sum(card: Card, context: Context) -> Iterator[Finding]:
    """Declared sums against their parts. With an unknown part nothing can be said: the index calls it undetermined."""
    sheet, tolerance = card.sheet, context.limits.sum_tolerance
    transfer = _total(card, *TRANSFER_PARTS)
    if sheet.transfer_income is not None and transfer is not None and abs(sheet.transfer_income - transfer) > tolerance:
        yield red("income-sum", "transfer_income", expected=str(transfer))
    transfer = transfer if transfer is not None else sheet.transfer_income
    gross, expenses = _total(card, "wage_income", "business_income", "property_income"), sheet.production_expenses
    if sheet.net_income is not None and None not in (transfer, gross, expenses):
        net = gross + transfer - expenses  # type: ignore[operator]
        if abs(sheet.net_income - net) > tolerance:
            yield red("income-sum", "net_income", expected=str(net))


@check("income-per-capita")
def income_per_capita(card: Card, context: Context) -> Iterator[Finding]:
    """Over the members who count; compared by multiplication, so that nothing is rounded before the comparison."""
    sheet = card.sheet
    if sheet.per_capita_income is None or sheet.net_income is None or not card.counted:
        return
    far = abs(sheet.per_capita_income * card.counted - sheet.net_income)
    if far > context.limits.per_capita_tolerance * card.counted:
        yield red("income-per-capita", "per_capita_income", members=card.counted)


@check("income-negative")
def income_negative(card: Card, context: Context) -> Iterator[Finding]:
    for name in _NOT_NEGATIVE:
        if (getattr(card.sheet, name) or 0) < 0:
            yield red("income-negative", name)


@check("cost-without-business")
def cost_without_business(card: Card, context: Context) -> Iterator[Finding]:
    if card.sheet.business_income == 0 and (card.sheet.production_expenses or 0) > 0:
        yield yellow("cost-without-business", "production_expenses")


@check("cost-over-business")
def cost_over_business(card: Card, context: Context) -> Iterator[Finding]:
    income, expenses = card.sheet.business_income, card.sheet.production_expenses
    if income and expenses is not None and expenses > income:
        yield yellow("cost-over-business", "production_expenses")


@check("business-without-land")
def business_without_land(card: Card, context: Context) -> Iterator[Finding]:
    """Animals earn without land; so income without land is odd only where there are none."""
    sheet = card.sheet
    land, animals = _total(card, *LAND), (sheet.pigs, sheet.cattle, sheet.sheep, sheet.poultry)
    if land is None or sheet.business_income is None:
        return
    from_nothing = sheet.business_income > 0 and land == 0 and all(count == 0 for count in animals)
    if from_nothing or (sheet.business_income == 0 and land > 0):
        yield yellow("business-without-land", "business_income", "cultivated_land")


@check("income-zero")
def income_zero(card: Card, context: Context) -> Iterator[Finding]:
    net = card.sheet.net_income
    if net is not None and (net == 0 or net < context.limits.poor_income * card.counted):
        yield yellow("income-zero", "net_income")


@check("income-round")
def income_round(card: Card, context: Context) -> Iterator[Finding]:
    amounts = [amount for amount in (getattr(card.sheet, name) for name in GROSS_LINES) if amount]
    if amounts and all(amount % 1000 == 0 for amount in amounts):
        yield yellow("income-round", "net_income")
