"""What a hit in a department register means beside the card: the rules of the comparison. Pure.

A hit is a fact with source and date; what the card declares itself is no contradiction and no hit; what it leaves empty
is unknown, and only a rule whose fact stands for itself (a car, a flat, a death) hits then. Absence from a register is
never a hit: no rule sees it. Rules, scores and figures are data (reference/register_rules.csv), right and wrong
examples too (reference/register_examples.csv, each one a test).
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

IN_SCHOOL = frozenset({"学前教育", "小学", "初中", "普通高中", "中职", "高职高专", "本科", "硕士及以上"})
NOT_IN_SCHOOL = "非在校生"
DISABLED = "残疾"
# Never on the list, or off it again: a large bill may bring such a household to be monitored (domain: sudden hardship).
NOT_REGISTERED = frozenset({"unregistered", "exited"})
HELPED = frozenset({"proposed", "registered", "monitored", "returned"})
GENERAL = "一般农户"
# Yuan a head; no default monitoring line (4,827 for 2019, 6,000 for 2020) lies above it.
IN_QUESTION_BELOW = 6000.0
# Registers of what excludes from help (domain: exclusion rules).
_OF_MEANS = frozenset({"vehicle", "real_estate", "public_payroll", "company"})

_FARM_OR_SMALL = ("摩托", "三轮", "拖拉机", "低速", "农用", "收割", "自行车", "电动车")
_FOR_LIVING = ("货", "牵引", "挂车", "出租", "作业", "大型客车", "中型客车", "大型普通客车", "中型普通客车", "教练")
_PRIVATE = ("轿车", "客车", "越野", "面包", "SUV", "MPV", "商务车", "旅行车", "乘用车", "房车")
_EARNING_USE = ("出租", "货运", "客运", "营运", "教练", "网约", "租赁", "作业")
_NOT_EARNING_USE = ("非营运", "非营业", "家庭自用", "营转非")
_VILLAGE_HOUSE = ("宅基地", "农村", "自建", "集体", "安置", "搬迁", "保障", "廉租", "公租", "经济适用")
_SHOP = ("商铺", "店铺", "门面", "商业", "商服", "办公", "写字楼", "营业")
_FLAT = ("商品住宅", "商品房", "成套住宅", "公寓", "别墅", "商住")
_MINOR_POST = ("公益", "护林", "保洁", "村干", "村支", "村委", "村主任", "组长", "临时", "临聘", "劳务", "遗属", "协管")
_NO_LONGER = ("注销", "吊销", "撤销", "迁出", "歇业", "清算")
_ATTENDING = ("在读", "在校", "在籍")
_DROPPED_OUT = ("辍学", "失学", "退学")
_STOPPED = ("停", "断", "退", "注销", "终止", "中断", "未", "冻结", "失效", "过期", "死亡")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as data: which register it reads, the kind of lead it opens, how sure it is, its figures."""

    id: str
    register: str
    kind: str
    score: float
    strong_score: float
    figures: Mapping[str, float]
    meaning: str


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by id, in the order of the table."""
    with (files("households") / "reference/register_rules.csv").open(encoding="utf-8") as lines:
        found = [
            Rule(
                row["rule"],
                row["register"],
                row["kind"],
                float(row["score"]),
                float(row["strong_score"]),
                MappingProxyType({name: float(value) for name, value in pairs(row["figures"])}),
                row["meaning"],
            )
            for row in csv.DictReader(lines)
        ]
    return MappingProxyType({rule.id: rule for rule in found})


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """`a=1;b=2` in pairs."""
    for part in filter(None, text.split(";")):
        name, _, value = part.partition("=")
        yield name, value


def kinds_of(register: str) -> tuple[str, ...]:
    """The kinds of leads a register opens."""
    return tuple(dict.fromkeys(rule.kind for rule in rules().values() if rule.register == register))


@dataclass(frozen=True, slots=True)
class Member:
    """What the card says of the member; None is unknown."""

    person: int
    birth_date: date | None = None
    counts: bool | None = None
    school_status: str = ""
    health: tuple[str, ...] = ()
    public_post: bool | None = None
    dibao: bool | None = None
    residents_insurance: bool | None = None


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the household's latest sheet declares, in yuan a year; None is unknown, `year` None: no sheet."""

    status: str
    year: int | None = None
    attribute: str = ""
    per_capita: float | None = None
    wage_income: float | None = None
    dibao: float | None = None
    net_income: float | None = None
    medical_cost: float | None = None
    owns_car: bool | None = None
    owns_machine: bool | None = None
    owns_flat: bool | None = None
    owns_company: bool | None = None
    public_payroll: bool | None = None

    @property
    def is_in_question(self) -> bool:
        """Helped, called poor by its card, or so poor by it (or of unknown income) that it may be put on the list. Of
        all others it does not matter what they own: a truck left off the card of a family that lives well is no lead.
        """
        called_poor = self.attribute not in ("", GENERAL) and self.status != "exited"
        return self.status in HELPED or called_poor or self.per_capita is None or self.per_capita < IN_QUESTION_BELOW


@dataclass(frozen=True, slots=True)
class Match:
    """An entry of a register that carries the number of an open member."""

    member: Member
    facts: Mapping[str, Any]
    version: int
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that hits: score 0 to 1, `figures` for its sentence (no number, plate or name), `of` where they stand."""

    rule: str
    score: float
    of: Match
    figures: Mapping[str, Any] = field(default_factory=dict)
    person: int | None = None

    def parameters(self, card: CardFacts) -> dict[str, Any]:
        """What the lead keeps: version, source and date of the register, the card's year, the figures."""
        return {
            "version": self.of.version,
            "source": self.of.source,
            "as_of": self.of.as_of.isoformat(),
            "card_year": card.year,
            **self.figures,
        }


def judge(register: str, card: CardFacts, matches: Sequence[Match]) -> list[Found]:
    """The rules of a register that hit a household, at most one hit a member and rule, the surest one.

    `matches` are all entries of its open members, of one register.
    """
    if register in _OF_MEANS and not card.is_in_question:
        return []
    if register in _OF_HOUSEHOLD:
        by_source: dict[str, list[Match]] = defaultdict(list)
        for match in matches:
            by_source[match.source].append(match)
        return _surest(found for each in by_source.values() for found in _OF_HOUSEHOLD[register](card, each))
    of_member = _OF_MEMBER[register]
    return _surest(found for match in matches for found in of_member(card, match))


def _surest(every: Iterable[Found]) -> list[Found]:
    """One hit a rule and person; `count` says how many entries of its version hit by that rule."""
    groups: dict[tuple[str, int | None], list[Found]] = defaultdict(list)
    for each in every:
        groups[each.rule, each.person].append(each)
    surest = []
    for group in groups.values():
        best = max(group, key=lambda found: (found.score, found.of.as_of, sorted(map(str, found.figures.items()))))
        count = sum(found.of.version == best.of.version for found in group)
        surest.append(Found(best.rule, best.score, best.of, {**best.figures, "count": count}, best.person))
    return surest


def _found(rule_id: str, match: Match, *, strong: bool = False, whole: bool = False, **figures: Any) -> Found:
    rule = rules()[rule_id]
    given = {name: value for name, value in figures.items() if value is not None}
    score = rule.strong_score if strong else rule.score
    return Found(rule_id, score, match, given, None if whole else match.member.person)


def _figure(rule_id: str, name: str) -> float:
    return rules()[rule_id].figures[name]


def _holds(text: Any, words: Iterable[str]) -> bool:
    upper = str(text or "").upper()
    return any(word in upper for word in words)


# -- what a member owns or is ------------------------------------------------------------------------------------------


def _vehicle(card: CardFacts, match: Match) -> Iterator[Found]:
    kind, use, price = match.facts.get("vehicle_type", ""), match.facts.get("use"), match.facts.get("price")
    if _holds(kind, _FARM_OR_SMALL) or card.owns_car:
        return
    told = {"vehicle_type": kind, "price": price, "registered_on": match.facts.get("registered_on")}
    earns = _holds(use, _EARNING_USE) and not _holds(use, _NOT_EARNING_USE)
    if earns or _holds(kind, _FOR_LIVING):
        if not card.owns_machine and (price is None or price >= _figure("vehicle_for_living", "least_price")):
            yield _found("vehicle_for_living", match, **told)
    elif _holds(kind, _PRIVATE):
        if price is not None and price < _figure("private_car", "least_price"):
            return
        yield _found("private_car", match, strong=(price or 0) >= _figure("private_car", "strong_price"), **told)
    else:
        yield _found("vehicle_unclear", match, **told)


def _real_estate(card: CardFacts, match: Match) -> Iterator[Found]:
    use, area = match.facts.get("use", ""), match.facts.get("area")
    if card.owns_flat or _holds(use, _VILLAGE_HOUSE):
        return
    told = {"use": use, "area": area, "registered_on": match.facts.get("registered_on")}
    if _holds(use, _FLAT):
        strong = (area or 0) >= _figure("commercial_flat", "strong_area")
        yield _found("commercial_flat", match, strong=strong, **told)
    elif _holds(use, _SHOP):
        yield _found("shop", match, **told)


def _public_payroll(card: CardFacts, match: Match) -> Iterator[Found]:
    duty = match.facts.get("duty")
    if card.public_payroll:
        return
    if not _holds(duty, _MINOR_POST):
        yield _found("on_payroll", match, duty=duty)
    elif not match.member.public_post:
        yield _found("minor_post", match, duty=duty)


def _company(card: CardFacts, match: Match) -> Iterator[Found]:
    form, capital, state = match.facts.get("form", ""), match.facts.get("capital"), match.facts.get("state")
    if card.owns_company or _holds(state, _NO_LONGER):
        return
    if "合作社" in form:  # the poor are asked to join one: a membership says nothing against need
        return
    rule = "sole_trader" if "个体" in form else "company"
    if rule == "sole_trader" and capital is not None and capital < _figure(rule, "least_capital"):
        return
    strong = (capital or 0) >= _figure(rule, "strong_capital")
    yield _found(rule, match, strong=strong, form=form, capital=capital, state=state)


def _death(card: CardFacts, match: Match) -> Iterator[Found]:
    died_on = match.facts["died_on"]
    within_year = card.year is not None and died_on <= date(card.year, 9, 30).isoformat()
    if within_year and match.member.counts is not False:
        yield _found("deceased_counted", match, died_on=died_on)
    elif (match.as_of - date.fromisoformat(died_on)).days >= _figure("deceased_open", "after_days"):
        yield _found("deceased_open", match, died_on=died_on)


# -- school, disability ------------------------------------------------------------------------------------------------


def _school(card: CardFacts, match: Match) -> Iterator[Found]:
    stage, state, member = match.facts.get("stage"), match.facts.get("state", ""), match.member
    if _holds(state, _DROPPED_OUT):
        if member.school_status in IN_SCHOOL:
            yield _found("school_dropout", match, stage=stage, state=state)
    elif "休学" in state:
        if member.school_status in IN_SCHOOL:
            yield _found("school_suspended", match, stage=stage, state=state)
    elif _holds(state, _ATTENDING) and member.school_status == NOT_IN_SCHOOL:
        yield _found("school_attending", match, strong=_of_school_age(card, member), stage=stage, state=state)


def _of_school_age(card: CardFacts, member: Member) -> bool:
    if member.birth_date is None or card.year is None:
        return False
    years = card.year - member.birth_date.year - ((member.birth_date.month, member.birth_date.day) > (9, 30))
    return _figure("school_attending", "school_from") <= years <= _figure("school_attending", "school_to")


def _disability(card: CardFacts, match: Match) -> Iterator[Found]:
    health = match.member.health
    if health and DISABLED not in health and not _holds(match.facts.get("state"), _STOPPED):
        grade = match.facts.get("grade")
        strong = _holds(grade, ("一级", "二级", "1", "2")) or grade in ("一", "二")
        yield _found("disability_unlisted", match, strong=strong, category=match.facts.get("category"), grade=grade)


# -- money: what a household's members receive or pay together ---------------------------------------------------------


def _medical(card: CardFacts, matches: Sequence[Match]) -> Iterator[Found]:
    cost = sum(match.facts["own_cost"] for match in matches)
    told = {"own_cost": cost, "declared": card.medical_cost}
    if card.status in NOT_REGISTERED:
        rule = "medical_hardship"
        known = card.medical_cost is not None and cost - card.medical_cost < _figure(rule, "least_difference")
        within = card.net_income is not None and cost < _figure(rule, "least_share") * card.net_income
        if cost >= _figure(rule, "least_cost") and not known and not within:
            yield _of_all(rule, matches, strong=cost >= _figure(rule, "strong_cost"), **told)
    elif card.medical_cost is not None:
        yield from _more_than("medical_understated", matches, cost, card.medical_cost, **told)


def _dibao(card: CardFacts, matches: Sequence[Match]) -> Iterator[Found]:
    received = [match for match in matches if not _holds(match.facts.get("state"), _STOPPED)]
    if not received:
        return
    yearly = 12 * sum(match.facts.get("amount", 0) for match in received)
    told = {"yearly": yearly or None, "declared": card.dibao, "persons": len(received)}
    declared = bool(card.dibao) or any(match.member.dibao for match in received)
    none_said = card.dibao == 0 or any(match.member.dibao is False for match in received)
    if not declared and none_said:
        yield _of_all("dibao_undeclared", received, strong=False, **told)
    elif card.dibao:
        yield from _more_than("dibao_understated", received, yearly, card.dibao, **told)


def _insurance(card: CardFacts, matches: Sequence[Match]) -> Iterator[Found]:
    paid = [
        match
        for match in matches
        if "职工" in match.facts.get("scheme", "")
        and match.facts.get("wage_base")
        and not _holds(match.facts.get("state"), _STOPPED)
    ]
    yield from _wages(card, _one_scheme_each(paid))
    for match in matches:
        if (
            "居民" in match.facts.get("scheme", "")
            and "医疗" in match.facts.get("scheme", "")
            and _holds(match.facts.get("state"), _STOPPED)
            and match.member.residents_insurance
        ):
            yield _found("insurance_lapsed", match, scheme=match.facts["scheme"], state=match.facts.get("state"))


def _one_scheme_each(paid: Sequence[Match]) -> list[Match]:
    """Pension and medical insurance stand on the same wage: the highest base of each person counts once."""
    highest: dict[int, Match] = {}
    for match in paid:
        known = highest.get(match.member.person)
        if known is None or match.facts["wage_base"] > known.facts["wage_base"]:
            highest[match.member.person] = match
    return list(highest.values())


def _wages(card: CardFacts, paid: Sequence[Match]) -> Iterator[Found]:
    if not paid or card.wage_income is None:
        return
    base = sum(match.facts["wage_base"] for match in paid)
    told = {"monthly": base, "yearly": 12 * base, "declared": card.wage_income, "persons": len(paid)}
    if card.wage_income == 0:
        yield _of_all("hidden_wage", paid, strong=base >= _figure("hidden_wage", "strong_base"), **told)
    else:
        yield from _more_than("wage_understated", paid, 12 * base, card.wage_income, **told)


def _of_all(rule: str, matches: Sequence[Match], *, strong: bool, **figures: Any) -> Found:
    """A hit of the household; it is a member's where only one of them stands in the register."""
    latest = max(matches, key=lambda match: (match.as_of, match.version))
    one = len({match.member.person for match in matches}) == 1
    return _found(rule, latest, strong=strong, whole=not one, **figures)


def _more_than(rule: str, matches: Sequence[Match], amount: float, on_card: float, **figures: Any) -> Iterator[Found]:
    difference = amount - on_card
    if difference >= _figure(rule, "least_difference") and amount > _figure(rule, "factor") * on_card:
        yield _of_all(rule, matches, strong=difference >= _figure(rule, "strong_difference"), **figures)


_OF_MEMBER: Mapping[str, Callable[[CardFacts, Match], Iterator[Found]]] = {
    "vehicle": _vehicle,
    "real_estate": _real_estate,
    "public_payroll": _public_payroll,
    "company": _company,
    "death": _death,
    "school": _school,
    "disability": _disability,
}
_OF_HOUSEHOLD: Mapping[str, Callable[[CardFacts, Sequence[Match]], Iterator[Found]]] = {
    "medical": _medical,
    "dibao": _dibao,
    "insurance": _insurance,
}
