"""Checks that look past the card: at last year, at other cards, at what became of the household (Context.beside)."""

from collections.abc import Iterator
from datetime import date

from households.domain.card import Card, Finding
from households.domain.checks.core import WAIT, Context, check, red, yellow


@check("id-double")
def id_double(card: Card, context: Context) -> Iterator[Finding]:
    """A save asks the claims table itself, which decides a race; here stands what the night finds."""
    for index in context.beside.numbers_elsewhere:
        yield Finding("id-double", WAIT, index, ("id_number",))


@check("phone-shared")
def phone_shared(card: Card, context: Context) -> Iterator[Finding]:
    if context.beside.phone_elsewhere:
        yield yellow("phone-shared", "phone")


@check("income-jump")
def income_jump(card: Card, context: Context) -> Iterator[Finding]:
    """Doubled or halved; from or to nothing and below nothing no factor can be told."""
    before, now, factor = context.beside.last_per_capita, card.sheet.per_capita_income, context.limits.jump_factor
    if before is None or now is None or before <= 0 or now <= 0:
        return
    if now >= before * factor or now * factor <= before:
        yield yellow("income-jump", "per_capita_income", before=f"{before.normalize():f}")


@check("member-vanished")
def member_vanished(card: Card, context: Context) -> Iterator[Finding]:
    """The person is on the card no more: `person` names the row, not a member's place."""
    for person in context.beside.left:
        yield yellow("member-vanished", "id_number", person=person)


@check("risk-months")
def risk_months(card: Card, context: Context) -> Iterator[Finding]:
    began, ended = context.beside.identified, context.beside.risk_removed
    if began is not None and ended is not None and full_months(began, ended) < context.limits.risk_months:
        yield red("risk-months", "exit_flag", months=full_months(began, ended))


@check("card-old")
def card_old(card: Card, context: Context) -> Iterator[Finding]:
    touched, today = context.beside.touched, context.beside.today
    if touched is not None and today is not None and full_months(touched, today) >= context.limits.old_months:
        yield yellow("card-old", "entered_at", touched=touched.isoformat())


def full_months(first: date, last: date) -> int:
    """Months that are over between two days: 31 January to 28 February is none, to 1 March one."""
    return (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day)
