"""How well a cadre fits a village, and who may not be posted where.

Fit is computed in whole billionths (`SCALE`), never in floating point: the parts of a score sum to it exactly, the
matrix of all pairs and the explanation of one pair cannot differ, and the optimum can be proven with integers.
Definitions and an example by hand: docs/matching.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from cadres.domain.needs import SKILLS, WEIGHT_UNITS
from cadres.domain.posts import FIRST_SECRETARY, POST_ROLES

SCALE = 10**9
MAX_LEVEL = 3
PARTY_MEMBER = "中共党员"
PROBATIONARY_MEMBER = "中共预备党员"
INCOMPETENT = "不称职"

Scores = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FitRules:
    """Weights of the parts as exact fractions (defaults of the city), and what each part counts as full."""

    skills: Fraction = Fraction(50, 100)
    years: Fraction = Fraction(15, 100)
    assessment: Fraction = Fraction(15, 100)
    dialect: Fraction = Fraction(10, 100)
    proximity: Fraction = Fraction(10, 100)
    wished: Fraction = Fraction(5, 100)
    change: Fraction = Fraction(10, 100)
    full_years: int = 10
    marks: Mapping[str, Fraction] = field(
        default_factory=lambda: {
            "优秀": Fraction(1),
            "称职": Fraction(7, 10),
            "基本称职": Fraction(3, 10),
        }
    )
    dialect_unknown: Fraction = Fraction(1, 2)
    city_unit: Fraction = Fraction(7, 10)
    other_county: Fraction = Fraction(3, 10)
    probationary_may_lead: bool = False


@dataclass(frozen=True)
class PresentPost:
    """Where a cadre is posted now, and until when it was planned."""

    village: int
    role: str
    planned_end: date


@dataclass(frozen=True)
class Candidate:
    """What matching knows of a cadre. County codes are 12 digits; `unit_county` is None for a unit of the city itself
    (`city_unit`) or one whose place is unknown; `dialect_counties` and the other facts are None when not stated."""

    staff_number: str
    unit: str
    unit_county: int | None
    city_unit: bool = False
    skills: Mapping[str, int] = field(default_factory=dict)
    political_status: str | None = None
    roles: frozenset[str] = frozenset()
    dialect_counties: frozenset[int] | None = None
    wished_counties: frozenset[int] = frozenset()
    home_village: int | None = None
    avoid_villages: frozenset[int] = frozenset()
    rural_years: int | None = None
    assessment: str | None = None
    available_from: date | None = None
    available_to: date | None = None
    present: PresentPost | None = None


@dataclass(frozen=True)
class Demand:
    """A village that wants cadres: its county and the weights of its need in ten-thousandths."""

    village: int
    county: int
    need: Mapping[str, int]


@dataclass(frozen=True)
class Term:
    """From when to when the new postings run."""

    start: date
    end: date


@dataclass(frozen=True)
class FitParts:
    """A score taken apart, in billionths; the fields sum to `total`. `cap` is what exceeds 1 (negative or 0),
    `change` the cost of cutting a present posting short (negative or 0)."""

    skills: int
    years: int
    assessment: int
    dialect: int
    proximity: int
    wished: int
    cap: int
    change: int

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


def fit_parts(candidate: Candidate, demand: Demand, role: str, rules: FitRules, term: Term) -> FitParts:
    """The score of one pair, taken apart."""
    of_cadre = _cadre_parts(candidate, rules)
    place = _place_parts(candidate, demand.county, rules)
    skills = int(_skill_scores([demand], [candidate], rules)[0, 0])
    uncapped = skills + sum(of_cadre) + sum(place)
    return FitParts(
        skills=skills,
        years=of_cadre[0],
        assessment=of_cadre[1],
        dialect=place[0],
        proximity=place[1],
        wished=place[2],
        cap=min(0, SCALE - uncapped),
        change=-_change_cost(candidate, demand.village, role, rules, term),
    )


def fit_matrix(demands: Sequence[Demand], candidates: Sequence[Candidate], rules: FitRules) -> Scores:
    """Scores without change cost: villages x cadres, in billionths."""
    scores = _skill_scores(demands, candidates, rules)
    scores += np.array([sum(_cadre_parts(one, rules)) for one in candidates], dtype=np.int64)
    counties = sorted({demand.county for demand in demands})
    by_county = {
        county: np.array(
            [sum(_place_parts(one, county, rules)) for one in candidates],
            dtype=np.int64,
        )
        for county in counties
    }
    for row, demand in enumerate(demands):
        scores[row] += by_county[demand.county]
    return np.minimum(scores, SCALE)


def change_costs(candidates: Sequence[Candidate], rules: FitRules, term: Term) -> Scores:
    """What moving each cadre away from the present post costs, in billionths."""
    return np.array(
        [_billionths(rules.change) if _cut_short(one, term) else 0 for one in candidates],
        dtype=np.int64,
    )


# --- who may not be posted: one predicate a rule, so that an empty post can say which rule shut whom out -----------

ROLE, PARTY, AVAILABLE, ASSESSMENT, PLACE = (
    "role",
    "party",
    "available",
    "assessment",
    "place",
)


def barred_by(candidate: Candidate, demand: Demand, role: str, rules: FitRules, term: Term) -> str | None:
    """The first hard rule that keeps the cadre from this post, or None."""
    reason = barred_from_role(candidate, role, rules, term)
    if reason is None and demand.village in forbidden_villages(candidate):
        return PLACE
    return reason


def barred_from_role(candidate: Candidate, role: str, rules: FitRules, term: Term) -> str | None:
    """The first hard rule, other than of place, that keeps the cadre from any post of this role."""
    if candidate.assessment == INCOMPETENT:
        return ASSESSMENT
    if role not in candidate.roles:
        return ROLE
    if role == FIRST_SECRETARY and not _may_lead(candidate, rules):
        return PARTY
    if not _available(candidate, term):
        return AVAILABLE
    return None


def forbidden_villages(candidate: Candidate) -> frozenset[int]:
    """Home village and relatives' villages."""
    home = frozenset() if candidate.home_village is None else frozenset([candidate.home_village])
    return home | candidate.avoid_villages


def role_masks(candidates: Sequence[Candidate], rules: FitRules, term: Term) -> dict[str, Mask]:
    """By role: which cadres may take it, as far as the place does not matter."""
    return {
        role: np.array(
            [barred_from_role(one, role, rules, term) is None for one in candidates],
            dtype=np.bool_,
        )
        for role in POST_ROLES
    }


def _may_lead(candidate: Candidate, rules: FitRules) -> bool:
    # a probationary member has no vote in the branch yet and cannot head it
    if candidate.political_status == PARTY_MEMBER:
        return True
    return rules.probationary_may_lead and candidate.political_status == PROBATIONARY_MEMBER


def _available(candidate: Candidate, term: Term) -> bool:
    starts = candidate.available_from is None or candidate.available_from <= term.start
    lasts = candidate.available_to is None or candidate.available_to >= term.end
    return starts and lasts


# --- the parts ------------------------------------------------------------------------------------------------------


def _skill_scores(demands: Sequence[Demand], candidates: Sequence[Candidate], rules: FitRules) -> Scores:
    need = np.array(
        [[one.need.get(skill, 0) for skill in SKILLS] for one in demands],
        dtype=np.int64,
    )
    level = np.array(
        [[one.skills.get(skill, 0) for skill in SKILLS] for one in candidates],
        dtype=np.int64,
    )
    covered = need.reshape(len(demands), len(SKILLS)) @ level.reshape(len(candidates), len(SKILLS)).T
    full = WEIGHT_UNITS * MAX_LEVEL
    return (covered * _billionths(rules.skills) + full // 2) // full


def _cadre_parts(candidate: Candidate, rules: FitRules) -> tuple[int, int]:
    """Years and assessment; a value that is not stated earns nothing."""
    years = Fraction(min(candidate.rural_years or 0, rules.full_years), rules.full_years)
    mark = rules.marks.get(candidate.assessment or "", Fraction(0))
    return _billionths(rules.years * years), _billionths(rules.assessment * mark)


def _place_parts(candidate: Candidate, county: int, rules: FitRules) -> tuple[int, int, int]:
    """Dialect, proximity and wish, all of the county."""
    return (
        _billionths(rules.dialect * _dialect(candidate, county, rules)),
        _billionths(rules.proximity * _proximity(candidate, county, rules)),
        _billionths(rules.wished) if county in candidate.wished_counties else 0,
    )


def _dialect(candidate: Candidate, county: int, rules: FitRules) -> Fraction:
    if candidate.dialect_counties is None:
        return rules.dialect_unknown
    return Fraction(county in candidate.dialect_counties)


def _proximity(candidate: Candidate, county: int, rules: FitRules) -> Fraction:
    if candidate.unit_county == county:
        return Fraction(1)
    return rules.city_unit if candidate.city_unit else rules.other_county


def _change_cost(candidate: Candidate, village: int, role: str, rules: FitRules, term: Term) -> int:
    present = candidate.present
    stays = present is not None and (present.village, present.role) == (village, role)
    return _billionths(rules.change) if _cut_short(candidate, term) and not stays else 0


def _cut_short(candidate: Candidate, term: Term) -> bool:
    return candidate.present is not None and candidate.present.planned_end > term.start


def _billionths(share: Fraction) -> int:
    return round(share * SCALE)
