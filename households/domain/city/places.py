"""Which villages there are, how counties differ, and how many households each village gets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

YEARS = (2018, 2019)  # accounting years, each to 30 September
LATEST = YEARS[-1]
TYPICAL = 150  # households of a village that is filled; a small city fills whole townships, and one card elsewhere
SEQUENCES = 500  # sequence codes of one sex on one birth date of an ID number


@dataclass(frozen=True, slots=True)
class Place:
    """A village by its 12-digit code, with the names above it."""

    code: int
    name: str
    township: str
    county: str
    urban: bool


@dataclass(frozen=True, slots=True)
class Village:
    """A village to make. Its persons take the sequence codes `slot`, `slot + slots`, ... of their birth date."""

    place: Place
    households: int
    slot: int
    slots: int


@dataclass(frozen=True, slots=True)
class County:
    """How a county differs: level of income (1 is the city's), poor households as registered, work away, land."""

    income: float = 1.0
    poor: float = 0.08
    away: float = 1.0
    terrain: str = "丘陵"
    forest: float = 0.5
    water: float = 0.2


COUNTIES = {
    430702: County(1.35, 0.015, 0.7, "平原", 0.05, 0.1),  # 武陵
    430703: County(1.10, 0.06, 0.9, "丘陵", 0.3, 0.3),  # 鼎城
    430721: County(1.00, 0.08, 1.0, "湖区", 0.02, 1.0),  # 安乡
    430722: County(0.98, 0.09, 1.0, "湖区", 0.2, 0.8),  # 汉寿
    430723: County(1.00, 0.08, 1.05, "平原", 0.3, 0.3),  # 澧县
    430724: County(1.00, 0.08, 1.0, "丘陵", 0.5, 0.2),  # 临澧
    430725: County(0.94, 0.11, 1.1, "山区", 1.3, 0.2),  # 桃源
    430726: County(0.82, 0.16, 1.2, "山区", 2.2, 0.05),  # 石门
    430771: County(1.05, 0.05, 0.8, "湖区", 0.02, 1.0),  # 西洞庭
    430781: County(1.08, 0.05, 0.9, "平原", 0.1, 0.4),  # 津市
}


def county_of(code: int) -> County:
    return COUNTIES.get(code // 10**6, County())


def plan_villages(places: Sequence[Place], households: int, seed: int) -> list[Village]:
    """Share `households` among the villages, in the order of their codes; a village may get none.

    A city too small to fill every village fills whole townships spread over the city and gives each other village one
    household (none at all below two a village), so that pages look alike at every size. Raises ValueError for a county
    with more villages than ID numbers of one birth date can be shared among.
    """
    places = sorted(places, key=lambda place: place.code)
    codes = np.array([place.code for place in places])
    rng = np.random.default_rng([seed, 1])
    urban = np.array([place.urban for place in places])
    weights = rng.lognormal(0.0, 0.35, len(places)) * np.where(urban, 0.55, 1.0)
    counts = np.zeros(len(places), dtype=np.int64)
    rest = households
    if households < TYPICAL * len(places):
        if households >= 2 * len(places):
            counts += 1
            rest -= len(places)
        weights = np.where(np.isin(codes // 1000, _filled(codes // 1000, rest)), weights, 0.0)
    shares = rest * weights / weights.sum()
    counts += shares.astype(np.int64)
    missing = households - int(counts.sum())
    counts[np.argsort(-(shares % 1), kind="stable")[:missing]] += 1
    counties, firsts, sizes = np.unique(codes // 10**6, return_index=True, return_counts=True)
    if sizes.max() > SEQUENCES:
        raise ValueError(f"a county of more than {SEQUENCES} villages")
    slots = np.arange(len(places)) - np.repeat(firsts, sizes)
    return [
        Village(place, int(count), int(slot), int(of))
        for place, count, slot, of in zip(places, counts, slots, np.repeat(sizes, sizes), strict=True)
    ]


def _filled(townships: np.ndarray, households: int) -> np.ndarray:
    """Townships evenly spread over the city whose villages together hold `households` of TYPICAL a village."""
    names, sizes = np.unique(townships, return_counts=True)
    needed = max(1, round(households / TYPICAL / sizes.mean()))
    steps = np.linspace(0, len(names), min(needed, len(names)), endpoint=False).astype(int)
    return names[steps + (len(names) // max(needed, 1)) // 2] if needed < len(names) else names
