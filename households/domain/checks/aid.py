"""Checks of causes of poverty, insurance and payments."""

from collections.abc import Iterator

from households.domain.card import Card, Finding, Member
from households.domain.checks.core import Context, aged, check, is_healthy, red, yellow
from households.domain.checks.labour import FULL_LABOUR, NO_LABOUR
from households.domain.checks.schooling import in_school

DIBAO_ATTRIBUTES = frozenset({"低保户", "低保贫困户"})
UNREGISTERED_ATTRIBUTE = "一般农户"


def _is_ill(member: Member) -> bool:
    return bool({"长期慢性病", "患有大病", "残疾"} & set(member.health))


@check("illness-cost")
def illness_cost(card: Card, context: Context) -> Iterator[Finding]:
    if card.sheet.main_cause == "因病" and (
        not any(_is_ill(member) for member in card.members) or card.sheet.medical_cost == 0
    ):
        yield yellow("illness-cost", "main_cause", "medical_cost")


@check("cause-disability")
def cause_disability(card: Card, context: Context) -> Iterator[Finding]:
    if card.sheet.main_cause == "因残" and not any("残疾" in member.health for member in card.members):
        yield yellow("cause-disability", "main_cause")


@check("cause-school")
def cause_school(card: Card, context: Context) -> Iterator[Finding]:
    if card.sheet.main_cause == "因学" and not any(in_school(member) for member in card.members):
        yield yellow("cause-school", "main_cause")


@check("cause-labour")
def cause_labour(card: Card, context: Context) -> Iterator[Finding]:
    able = sum(member.labour in FULL_LABOUR for member in card.members)
    if card.sheet.main_cause == "缺劳力" and card.members and 2 * able >= len(card.members):
        yield yellow("cause-labour", "main_cause")


@check("cause-twice")
def cause_twice(card: Card, context: Context) -> Iterator[Finding]:
    others = card.sheet.other_causes
    if len(others) > 2 or (card.sheet.main_cause is not None and card.sheet.main_cause in others):
        yield red("cause-twice", "other_causes")


@check("cause-on-general")
def cause_on_general(card: Card, context: Context) -> Iterator[Finding]:
    sheet = card.sheet
    if sheet.attribute == UNREGISTERED_ATTRIBUTE and (sheet.main_cause or sheet.exit_flag):
        yield yellow("cause-on-general", "attribute", "main_cause")


def is_uninsured(member: Member) -> bool:
    """Both insurances answered, and both no."""
    return member.residents_insurance is False and member.employees_insurance is False


@check("insurance-none")
def insurance_none(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if is_uninsured(member):
            yield yellow("insurance-none", "residents_insurance", "employees_insurance", member=index)


@check("insurance-both")
def insurance_both(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if member.residents_insurance and member.employees_insurance:
            yield yellow("insurance-both", "residents_insurance", "employees_insurance", member=index)


@check("pension-minor")
def pension_minor(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        if age < 16 and (member.residents_pension or member.employees_pension):
            yield yellow("pension-minor", "residents_pension", "birth_date", member=index)


@check("pension-income")
def pension_income(card: Card, context: Context) -> Iterator[Finding]:
    drawing = any(age >= 60 and member.residents_pension for _index, member, age in aged(card))
    if drawing and card.sheet.pension == 0:
        yield yellow("pension-income", "pension")


@check("dibao-attribute")
def dibao_attribute(card: Card, context: Context) -> Iterator[Finding]:
    """The attribute names dibao and nothing shows it, or somebody receives it, or money came, and it does not."""
    sheet = card.sheet
    received = any(member.dibao for member in card.members) or (sheet.dibao or 0) > 0
    if sheet.attribute is None:
        return
    if sheet.attribute in DIBAO_ATTRIBUTES:
        unknown = sheet.dibao is None or any(member.dibao is None for member in card.members)
        if not received and not unknown:
            yield red("dibao-attribute", "attribute", "dibao")
    elif received:
        yield red("dibao-attribute", "attribute", "dibao")


@check("wubao-people")
def wubao_people(card: Card, context: Context) -> Iterator[Finding]:
    able = any(
        16 <= age <= 59 and is_healthy(member) and in_school(member) is False for _index, member, age in aged(card)
    )
    if card.sheet.attribute == "五保户" and able:
        yield yellow("wubao-people", "attribute")


@check("no-labour-no-dibao")
def no_labour_no_dibao(card: Card, context: Context) -> Iterator[Finding]:
    members = card.members
    if members and all(member.labour in NO_LABOUR and member.dibao is False for member in members):
        yield yellow("no-labour-no-dibao", "attribute")
