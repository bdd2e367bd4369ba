"""Checks of a household said to have left poverty: income, guarantees, year."""

from collections.abc import Iterator

from households.domain.card import Card, Finding
from households.domain.checks.aid import is_uninsured
from households.domain.checks.core import Context, check, red
from households.domain.checks.schooling import FINISHED_JUNIOR_MIDDLE, in_school, is_of_school_age

EXITED = "已脱贫"


@check("exit-below-line")
def exit_below_line(card: Card, context: Context) -> Iterator[Finding]:
    """Compares net income with line x members: no division. Equal to the line is not below it."""
    sheet, line = card.sheet, context.line
    if sheet.exit_flag != EXITED or line is None or sheet.net_income is None:
        return
    if sheet.net_income < line * card.counted:
        yield red("exit-below-line", "exit_flag", "per_capita_income", line=str(line))


def missing_guarantees(card: Card) -> list[str]:
    """Attributes that say a guarantee is missing: school, medical insurance, safe house, safe water."""
    missing = []
    if any(
        is_of_school_age(member, card.sheet.year)
        and in_school(member) is False
        and member.education not in FINISHED_JUNIOR_MIDDLE
        for member in card.members
    ):
        missing.append("school_status")
    if any(is_uninsured(member) for member in card.members):
        missing.append("residents_insurance")
    if card.sheet.house_grade in {"C级", "D级"}:
        missing.append("house_grade")
    if card.sheet.water_safe is False:
        missing.append("water_safe")
    return missing


@check("exit-guarantee")
def exit_guarantee(card: Card, context: Context) -> Iterator[Finding]:
    missing = missing_guarantees(card) if card.sheet.exit_flag == EXITED else []
    if missing:
        yield red("exit-guarantee", "exit_flag", *missing)


@check("exit-year")
def exit_year(card: Card, context: Context) -> Iterator[Finding]:
    """A year after the sheet's own is the future of the sheet."""
    sheet = card.sheet
    future = sheet.exit_year is not None and sheet.year is not None and sheet.exit_year > sheet.year
    if future or (sheet.exit_flag == EXITED and sheet.exit_year is None):
        yield red("exit-year", "exit_year", "exit_flag")
