"""What skills a village needs, worked out from its cards, with every step that led to a weight.

A village's facts are counts over the cards of its registered households in the latest accounting year and its village
card. Each of five parts (causes, missing guarantees, labour, industries, size) gives amounts to skills; the amounts are
normalised to weights that sum to 1. docs/matching.md holds the definitions and an example by hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

SKILLS = (
    "产业规划",
    "种植",
    "养殖",
    "电商",
    "旅游",
    "金融",
    "卫生",
    "教育",
    "工程建设",
    "法律",
    "党建",
    "劳务输出",
    "水利",
    "林业",
)
CAUSE, GUARANTEE, LABOUR, INDUSTRY, SIZE = (
    "cause",
    "guarantee",
    "labour",
    "industry",
    "size",
)
PARTS = (CAUSE, GUARANTEE, LABOUR, INDUSTRY, SIZE)
WEIGHT_UNITS = 10_000
"""A weight is a whole number of ten-thousandths: stored, shown and computed with the same value."""


@dataclass(frozen=True)
class NeedRules:
    """How the parts count. `skills[part][key]` maps a cause, guarantee, labour fact or industry to skill shares that
    sum to 1; `parts` says how much a part counts (each guarantee and each labour fact by itself, causes and industries
    as a whole); a cause that is not a household's main one counts `other_cause`; a village of `full_size` registered
    households or more counts as large."""

    skills: Mapping[str, Mapping[str, Mapping[str, Fraction]]]
    parts: Mapping[str, Fraction] = field(
        default_factory=lambda: {
            CAUSE: Fraction(60, 100),
            GUARANTEE: Fraction(15, 100),
            LABOUR: Fraction(10, 100),
            INDUSTRY: Fraction(10, 100),
            SIZE: Fraction(5, 100),
        }
    )
    other_cause: Fraction = Fraction(1, 2)
    full_size: int = 80

    def __post_init__(self) -> None:
        for part, keys in self.skills.items():
            for key, shares in keys.items():
                if sum(shares.values()) != 1:
                    raise ValueError(f"skill shares of {part} {key} sum to {sum(shares.values())}, not to 1")


@dataclass(frozen=True)
class VillageFacts:
    """Counts over the registered households of one village. `gaps` counts households that lack a guarantee, `labour`
    households without an able member and able members without work (of `able_members`)."""

    village: int
    households: int
    main_causes: Mapping[str, int] = field(default_factory=dict)
    other_causes: Mapping[str, int] = field(default_factory=dict)
    gaps: Mapping[str, int] = field(default_factory=dict)
    households_without_labour: int = 0
    idle_members: int = 0
    able_members: int = 0
    industries: tuple[str, ...] = ()


@dataclass(frozen=True)
class NeedRow:
    """One step of the explanation: `key` of `part` was counted `count` of `total`; its `share` of the part gave
    `amount` to `skill`."""

    part: str
    key: str
    count: Fraction
    total: Fraction
    skill: str
    amount: Fraction


@dataclass(frozen=True)
class VillageNeed:
    """Weights by skill in ten-thousandths (sum 10,000, or empty when the cards say nothing) and their reasons."""

    village: int
    weights: Mapping[str, int]
    rows: tuple[NeedRow, ...]


def need_of(facts: VillageFacts, rules: NeedRules) -> VillageNeed:
    """The need of one village. An amount is the weight of its part times the share of households (or members) it
    concerns: where no guarantee is missing that part gives nothing, and the others weigh more after normalising."""
    rows = (
        *_cause_rows(facts, rules),
        *_gap_rows(facts, rules),
        *_labour_rows(facts, rules),
        *_industry_rows(facts, rules),
        *_size_rows(facts, rules),
    )
    amounts: dict[str, Fraction] = {}
    for row in rows:
        amounts[row.skill] = amounts.get(row.skill, Fraction(0)) + row.amount
    return VillageNeed(facts.village, normalised(amounts), rows)


def normalised(amounts: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole ten-thousandths that sum to 10,000, by largest remainder; ties go to the earlier skill of `SKILLS`.
    Skills that come to 0 are left out; no positive amount gives an empty result."""
    total = sum(amounts.values(), Fraction(0))
    if total <= 0:
        return {}
    exact = {skill: amounts[skill] * WEIGHT_UNITS / total for skill in SKILLS if amounts.get(skill)}
    weights = {skill: value.numerator // value.denominator for skill, value in exact.items()}
    missing = WEIGHT_UNITS - sum(weights.values())
    by_remainder = sorted(exact, key=lambda skill: (weights[skill] - exact[skill], SKILLS.index(skill)))
    for skill in by_remainder[:missing]:
        weights[skill] += 1
    return {skill: weight for skill, weight in weights.items() if weight}


def _spread(rules: NeedRules, part: str, key: str, count: Fraction, total: Fraction) -> Iterable[NeedRow]:
    if not count or not total:
        return
    for skill, share in rules.skills.get(part, {}).get(key, {}).items():
        yield NeedRow(part, key, count, total, skill, rules.parts[part] * count / total * share)


def _cause_rows(facts: VillageFacts, rules: NeedRules) -> Iterable[NeedRow]:
    counts: dict[str, Fraction] = {}
    for cause, households in facts.main_causes.items():
        counts[cause] = counts.get(cause, Fraction(0)) + households
    for cause, households in facts.other_causes.items():
        counts[cause] = counts.get(cause, Fraction(0)) + households * rules.other_cause
    total = sum(counts.values(), Fraction(0))
    for cause in sorted(counts, key=lambda one: (-counts[one], one)):
        yield from _spread(rules, CAUSE, cause, counts[cause], total)


def _gap_rows(facts: VillageFacts, rules: NeedRules) -> Iterable[NeedRow]:
    for guarantee, households in facts.gaps.items():
        yield from _spread(rules, GUARANTEE, guarantee, Fraction(households), Fraction(facts.households))


def _labour_rows(facts: VillageFacts, rules: NeedRules) -> Iterable[NeedRow]:
    without = Fraction(facts.households_without_labour)
    yield from _spread(rules, LABOUR, "无劳动力户", without, Fraction(facts.households))
    yield from _spread(rules, LABOUR, "富余劳动力", Fraction(facts.idle_members), Fraction(facts.able_members))


def _industry_rows(facts: VillageFacts, rules: NeedRules) -> Iterable[NeedRow]:
    total = Fraction(len(facts.industries))
    for industry in facts.industries:
        yield from _spread(rules, INDUSTRY, industry, Fraction(1), total)


def _size_rows(facts: VillageFacts, rules: NeedRules) -> Iterable[NeedRow]:
    size = Fraction(min(facts.households, rules.full_size))
    yield from _spread(rules, SIZE, "帮扶户规模", size, Fraction(rules.full_size))
