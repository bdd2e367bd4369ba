"""Households that nobody helps and that fall on hard times within the year; and others that only look it.

Bills larger than the income, an earner who dies, a flood, work that is lost. Look-alikes: bills a household can bear,
bills of many years, an old member who dies, money for land that came once.
"""

import numpy as np

from households.domain.city.facts import YearFacts
from households.domain.city.planter import LINE, Planter

_WEAK = "弱劳动力或半劳动力"
_SEVERE, _HEALTHY = ("患有大病",), ("健康",)


def hard_times(at: Planter) -> None:
    _large_bills(at)
    _earner_dies(at)
    _disaster(at)
    _work_lost(at)
    _windfall(at)


def _monitoring(at: Planter) -> float:
    return 1.5 * LINE[at.last.year]


def _between(at: Planter, low: float, high: float) -> np.ndarray:
    """Households nobody chose whose income a head is between these, in lines."""
    plain, line = at.plain(), LINE[at.last.year]
    income = at.per_capita()[plain]
    return plain[(income >= low * line) & (income <= high * line)]


def _falls_ill(at: Planter, household: int) -> int | None:
    """A member of 30 and more without work who falls seriously ill this year; None: there is nobody."""
    of, members = at.persons_of[household], at.last.members
    idle = (members["work_place"][of] == "") & ~members["local_job"][of] & ~members["public_post"][of]
    usable = of[idle & (at.age()[of] >= 30) & np.array([tuple(each) == _HEALTHY for each in members["health"][of]])]
    if not len(usable):
        return None
    member = int(usable[0])
    members["health"][member] = _SEVERE
    if members["labour"][member] in ("普通劳动力", "技能劳动力"):
        members["labour"][member] = _WEAK
    return member


def _pay(at: Planter, household: int, year: YearFacts, left_a_head: float) -> None:
    """Out-of-pocket bills of the year that leave so much of the income a head; yuan."""
    sheets = year.sheets
    left = round(left_a_head * 100) * int(sheets["members_counted"][household])
    bills = max(int(sheets["net_income"][household]) - left, 0) // 100 * 100
    sheets["medical_cost"][household] = max(bills, int(sheets["medical_cost"][household]))


def _large_bills(at: Planter) -> None:
    for household in at.choose(_between(at, 1.7, 3.5), at.number(0.006)):
        if _falls_ill(at, household) is not None:
            _pay(at, household, at.last, float(at.rng.uniform(0.05, 0.85)) * _monitoring(at))
            at.planted.say(household, "sudden_hardship")
    for household in at.choose(_between(at, 3.5, 7.0), at.number(0.006)):  # they can bear it
        if _falls_ill(at, household) is not None:
            _pay(at, household, at.last, float(at.rng.uniform(1.3, 2.2)) * _monitoring(at))


def long_illness(at: Planter) -> None:
    """On the list for years with a good income of which bills leave little, year after year: no case of clinging."""
    for household in at.choose(_between(at, 1.6, 2.6), at.number(0.004)):
        at.enter_on_list(household, in_need=True)
        at.block.households["status_since"][household] = np.datetime64("2015-01-30")
        for year in at.block.years:
            _pay(at, household, year, float(at.rng.uniform(0.2, 0.9)) * LINE[year.year])


def _earner_dies(at: Planter) -> None:
    age, members = at.age(), at.block.members
    for household in at.choose(_between(at, 2.5, 7.0), at.number(0.004)):
        of = at.persons_of[household][1:]
        months = at.last.members["work_months"]
        earners = [
            one for one in of.tolist() if months[one] >= 5 and 22 <= age[one] <= 62 and members["id_number"][one]
        ]
        if not earners:
            continue
        day = at.day_between("2018-11-01", "2019-08-20")
        before = int(at.last.sheets["per_capita_income"][household])
        at.leave(earners[0], day, "died")
        at.planted.register("death", members["id_number"][earners[0]], str(day))
        after = int(at.last.sheets["per_capita_income"][household])
        if after >= 100 * _monitoring(at) and after <= 0.75 * before:
            at.planted.say(household, "sudden_hardship")


def _disaster(at: Planter) -> None:
    """A flood takes the harvest of some fields, and some houses with it."""
    if at.rng.random() >= 0.10:
        return
    at.block.village_cards[-1]["disasters"] = ("洪涝",)
    sheets = at.last.sheets
    farmers = _between(at, 1.7, 5.0)
    farmers = farmers[(sheets["business_income"][farmers] > 400_000) & ~sheets["unsafe_house"][farmers]]
    for household in at.choose(farmers, int(at.rng.integers(4, 10))):
        business, net = int(sheets["business_income"][household]), int(sheets["net_income"][household])
        sheets["business_income"][household] = max(int(business * at.rng.uniform(0.05, 0.3)) // 100 * 100, 9000)
        at.add_up(household, at.last)
        house_lost = at.rng.random() < 0.5
        if house_lost:
            sheets["house_grade"][household], sheets["unsafe_house"][household] = "D级", True
        hurts = house_lost or net - int(sheets["net_income"][household]) >= 0.2 * net
        if hurts and sheets["per_capita_income"][household] >= 100 * _monitoring(at):
            at.planted.say(household, "sudden_hardship")


def _work_lost(at: Planter) -> None:
    members, sheets = at.last.members, at.last.sheets
    for household in at.choose(_between(at, 3.2, 8.0), at.number(0.010)):
        of, counted = at.persons_of[household], int(sheets["members_counted"][household])
        months, wage = members["work_months"][of], int(sheets["wage_income"][household])
        short = np.where(months > 0, np.maximum(1, months // 5), 0)
        lost = int(wage * (1 - short.sum() / max(int(months.sum()), 1))) // 100 * 100
        after = (int(sheets["net_income"][household]) - lost) / max(counted, 1)
        if not months.sum() or not 100 * _monitoring(at) <= after <= 145 * _monitoring(at):
            continue
        members["work_months"][of] = short
        sheets["wage_income"][household] = max(wage - lost, at.least_wage(household, at.last))
        at.add_up(household, at.last)
        at.planted.say(household, "sudden_hardship")


def _windfall(at: Planter) -> None:
    """Money for land last year that is not income of every year."""
    for household in at.choose(_between(at, 1.6, 2.6), at.number(0.006)):
        counted = int(at.before.sheets["members_counted"][household])
        at.before.sheets["property_income"][household] += 100 * int(at.rng.uniform(2.0, 5.0) * 3000) * counted
        at.add_up(household, at.before)
