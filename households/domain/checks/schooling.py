"""Checks of schooling."""

from collections.abc import Iterator
from datetime import date

from households.domain.card import Card, Finding, Member
from households.domain.checks.core import Context, aged, check, is_healthy, red, yellow

NOT_IN_SCHOOL = "非在校生"
COLLEGE = frozenset({"大专", "本科及以上"})
FINISHED_JUNIOR_MIDDLE = frozenset({"初中", "高中", "中专", "大专", "本科及以上"})
_EDUCATION_RANK = {
    "学龄前儿童": 0,
    "文盲或半文盲": 0,
    "小学": 1,
    "初中": 2,
    "高中": 3,
    "中专": 3,
    "大专": 4,
    "本科及以上": 5,
}
_SCHOOL_RANK = {
    "学前教育": 0,
    "小学": 1,
    "初中": 2,
    "普通高中": 3,
    "中职": 3,
    "高职高专": 4,
    "本科": 5,
    "硕士及以上": 6,
}


def in_school(member: Member) -> bool | None:
    """None when the school status is unknown."""
    return None if member.school_status is None else member.school_status != NOT_IN_SCHOOL


def is_of_school_age(member: Member, year: int | None) -> bool:
    """6 to 15 on 30 September; who became 6 after 31 August enters school a year later."""
    age = member.age_in(year)
    if age is None or year is None or member.birth_date is None:
        return False
    return 6 <= age <= 15 and member.birth_date <= date(year - 6, 8, 31)


@check("school-age-out")
def school_age_out(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if (
            is_of_school_age(member, card.sheet.year)
            and in_school(member) is False
            and member.education not in FINISHED_JUNIOR_MIDDLE
            and not member.out_of_school_reason
        ):
            yield red("school-age-out", "school_status", "out_of_school_reason", member=index)


@check("education-empty")
def education_empty(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        if not member.education and not member.school_status and not member.out_of_school_reason:
            yield red("education-empty", "education", "school_status", member=index)


@check("education-and-school")
def education_and_school(card: Card, context: Context) -> Iterator[Finding]:
    for index, member in enumerate(card.members):
        level, school = _EDUCATION_RANK.get(member.education or ""), _SCHOOL_RANK.get(member.school_status or "")
        if level is not None and school is not None and level > school:
            yield yellow("education-and-school", "education", "school_status", member=index)


@check("college-minor")
def college_minor(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        if age < 18 and member.education in COLLEGE:
            yield red("college-minor", "education", "birth_date", member=index, age=age)


@check("preschool-age")
def preschool_age(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        preschool = member.education == "学龄前儿童" or member.school_status == "学前教育"
        if age >= 7 and preschool and is_healthy(member):
            yield yellow("preschool-age", "school_status", "education", member=index)


@check("low-education-young")
def low_education_young(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        low = _EDUCATION_RANK.get(member.education or "", 9) <= 1
        if 16 <= age <= 22 and low and not in_school(member):
            yield yellow("low-education-young", "education", member=index)


@check("school-age-adult")
def school_age_adult(card: Card, context: Context) -> Iterator[Finding]:
    for index, member, age in aged(card):
        if age >= 26 and in_school(member):
            yield yellow("school-age-adult", "school_status", member=index)
