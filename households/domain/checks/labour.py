"""Checks of labour and work away from home."""

from collections.abc import Iterator

from households.domain.card import Card, Finding
from households.domain.checks.core import Context, aged, check, is_healthy, red, yellow
from households.domain.checks.schooling import COLLEGE, in_school

HAS_LABOUR = frozenset({"普通劳动力", "技能劳动力", "弱劳动力或半劳动力"})
FULL_LABOUR = frozenset({"普通劳动力", "技能劳动力"})
NO_LABOUR = frozenset({"丧失劳动力", "无劳动力"})
WEAK_LABOUR = NO_LABOUR | {"弱劳动力或半劳动力"}


@check("labour-minor")
def labour_minor(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        if age < 16 and member.labour in HAS_LABOUR:
            yield red("labour-minor", "labour", "birth_date", member=index, age=age)


@check("labour-severe-disability")
def labour_severe_disability(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if member.disability_grade in {"一级", "二级"} and member.labour in FULL_LABOUR:
            yield yellow("labour-severe-disability", "labour", "disability_grade", member=index)


@check("labour-weak-healthy")
def labour_weak_healthy(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        if 16 <= age <= 59 and is_healthy(member) and in_school(member) is False and member.labour in WEAK_LABOUR:
            yield yellow("labour-weak-healthy", "labour", "health", member=index)


@check("labour-old")
def labour_old(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        if age > 70 and member.labour in FULL_LABOUR:
            yield yellow("labour-old", "labour", "birth_date", member=index, age=age)


@check("work-away-no-labour")
def work_away_no_labour(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if member.work_place and member.labour in NO_LABOUR:
            yield red("work-away-no-labour", "work_place", "labour", member=index)


@check("work-away-pupil")
def work_away_pupil(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if member.work_place and in_school(member):
            yield yellow("work-away-pupil", "work_place", "school_status", member=index)


@check("work-months")
def work_months(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        months, place = member.work_months, member.work_place
        if months is not None and not 1 <= months <= 12:
            yield red("work-months", "work_months", member=index)
        elif (months is None) != (place is None):
            missing = "work_months" if months is None else "work_place"
            yield red("work-months", missing, member=index)


def _month_count(card: Card) -> int:
    return sum(member.work_months or 0 for member in card.members if member.work_place)


@check("work-wage")
def work_wage(card: Card, context: Context) -> Iterator[Finding]:
    if card.sheet.wage_income == 0 and any(member.work_place for member in card.members):
        yield red("work-wage", "wage_income")


@check("wage-nobody")
def wage_nobody(card: Card, context: Context) -> Iterator[Finding]:
    earners = HAS_LABOUR | {None}
    if (card.sheet.wage_income or 0) > 0 and all(member.labour not in earners for member in card.members):
        yield yellow("wage-nobody", "wage_income")


@check("wage-monthly")
def wage_monthly(card: Card, context: Context) -> Iterator[Finding]:
    months, wage = _month_count(card), card.sheet.wage_income
    least, most = context.limits.wage_least, context.limits.wage_most
    if months and wage and not least * months <= wage <= most * months:
        yield yellow("wage-monthly", "wage_income", months=months)


@check("skilled-idle")
def skilled_idle(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        skilled = member.labour == "技能劳动力" or member.education in COLLEGE
        if skilled and not member.work_place and member.local_job is False and not in_school(member):
            yield yellow("skilled-idle", "labour", "education", "local_job", member=index)


@check("public-post-age")
def public_post_age(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        if member.public_post and not 16 <= age <= 70:
            yield yellow("public-post-age", "public_post", "birth_date", member=index, age=age)
