"""What may be changed in a made-up village, and what was planted into it (domain.city.planted and its neighbours).

Every card stays one the checks accept: sums are worked out anew, and whoever works away still earns a wage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from households.domain.city.facts import MONEY
from households.domain.city.places import YEARS
from households.domain.city.village import Block

LINE = {2018: 2995, 2019: 3218}  # yuan a head: what those who falsify have in mind
YEAR_END = np.datetime64(f"{YEARS[-1]}-09-30")
_EARNED = ("wage_income", "business_income", "property_income", "other_transfer")
_CAUSES = ("缺技术", "缺资金", "自身发展动力不足", "交通条件落后")


@dataclass
class Planted:
    """What was planted. Positions are those of households and members in the village."""

    truth: list[tuple[int, str]] = field(default_factory=list)
    registers: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    cadres: list[tuple[int, str]] = field(default_factory=list)  # household, post
    relatives: list[tuple[int, int, str]] = field(default_factory=list)  # cadre, member, relation
    split_from: dict[int, int] = field(default_factory=dict)  # household -> the household it was split from
    doubles: set[int] = field(default_factory=set)  # members whose number is another member's too
    left: dict[int, tuple[np.datetime64, str]] = field(default_factory=dict)  # members gone: the day and why

    def say(self, household: int, kind: str) -> None:
        if (household, kind) not in self.truth:
            self.truth.append((household, kind))

    def register(self, kind: str, *row: Any) -> None:
        self.registers.setdefault(kind, []).append(row)


def copy_of(block: Block) -> Block:
    """The village with columns of its own."""
    years = tuple(
        replace(
            year,
            sheets={name: column.copy() for name, column in year.sheets.items()},
            members={name: column.copy() for name, column in year.members.items()},
            alive=year.alive.copy(),
        )
        for year in block.years
    )
    households = {name: column.copy() for name, column in block.households.items()}
    return replace(
        block,
        households=households,
        members={name: column.copy() for name, column in block.members.items()},
        years=years,
        village_cards=tuple(dict(card) for card in block.village_cards),
    )


class Planter:
    """A village one plants into: who may be chosen, and how a card is changed."""

    def __init__(self, block: Block, rng: np.random.Generator) -> None:
        self.block, self.rng, self.planted = block, rng, Planted()
        self.n = block.village.households
        self.before, self.last = block.years
        self.taken: set[int] = set()
        self.favored: set[int] = set()  # put on the list although nothing asks for it
        self.cut: set[int] = set()  # declare less than they earned, this year
        self.tied: set[int] = set()  # relatives of cadres and who shares a trace with one
        self.is_favoring = False
        self.bunching_clerks: set[str] = set()
        self.persons_of = [np.flatnonzero(block.members["household"] == one) for one in range(self.n)]

    # -- who may be chosen ---------------------------------------------------------------------------------------------

    def per_capita(self) -> np.ndarray:
        return self.last.sheets["per_capita_income"] / 100

    def plain(self) -> np.ndarray:
        """Households nobody has chosen yet that are not registered and receive nothing."""
        plain = (self.block.households["status"] == "unregistered") & (self.last.sheets["attribute"] == "一般农户")
        plain[list(self.taken)] = False
        return np.flatnonzero(plain)

    def choose(self, candidates: np.ndarray, count: int) -> list[int]:
        free = np.array([one for one in candidates.tolist() if one not in self.taken], dtype=int)
        chosen = self.rng.permutation(free)[:count].tolist()
        self.taken.update(chosen)
        return chosen

    def number(self, share: float) -> int:
        return int(self.rng.poisson(share * self.n))

    def adults(self, household: int) -> np.ndarray:
        """Members of 20 to 69 with a number who live in the household."""
        of = self.persons_of[household]
        age = self.age()[of]
        return of[(age >= 20) & (age < 70) & (self.block.members["id_number"][of] != "") & self.last.alive[of]]

    def able(self) -> np.ndarray:
        """How many members of each household can work, this year."""
        able = np.isin(self.last.members["labour"], ("普通劳动力", "技能劳动力")) & self.last.alive
        return np.bincount(self.block.members["household"], able, minlength=self.n)

    def age(self) -> np.ndarray:
        days = np.datetime64(f"{self.last.year}-09-30") - self.block.members["birth_date"]
        return (days.astype(np.int64) / 365.2425).astype(np.int64)

    # -- what is changed on a card -------------------------------------------------------------------------------------

    def enter_on_list(self, household: int, *, in_need: bool = False) -> None:
        """Registered since last year; without `in_need` nothing asks for it."""
        homes = self.block.households
        if not in_need:
            self.favored.add(household)
        homes["status"][household] = "registered"
        homes["status_since"][household] = np.datetime64("2018-11-01") + int(self.rng.integers(0, 400))
        helpers = homes["helper_name"][homes["helper_name"] != ""]
        homes["helper_name"][household] = helpers[0] if len(helpers) else "王建国"
        cause = _CAUSES[int(self.rng.integers(len(_CAUSES)))]
        for year in self.block.years:
            year.sheets["attribute"][household] = "一般贫困户"
            year.sheets["main_cause"][household] = cause
            year.sheets["exit_flag"][household] = "未脱贫"

    def least_wage(self, household: int, year: Any) -> int:
        """Fen: whoever works away earns something, or the card is refused."""
        months = year.members["work_months"][self.persons_of[household]].sum()
        return int(20_000 * months)

    def bring_to(
        self, household: int, per_capita: float, years: Sequence[Any] | None = None, honest: bool = False
    ) -> None:
        """Less on the card: wages, business and support are cut until the income a head is about this; yuan.

        The truth calls it a false income where the earnings of the last year fell by half or more, unless the household
        really is that poor (`honest`).
        """
        for year in years or (self.last,):
            sheets = year.sheets
            counted = int(sheets["members_counted"][household])
            goal = round(per_capita * 100) * counted
            before = sum(int(sheets[name][household]) for name in _EARNED) - int(
                sheets["production_expenses"][household]
            )
            official = int(sheets["net_income"][household]) - before
            wanted = max(goal - official, 0)
            if wanted >= before or before <= 0:
                continue
            share = wanted / before
            for name in (*_EARNED, "production_expenses"):
                sheets[name][household] = int(int(sheets[name][household]) * share) // 100 * 100
            least = self.least_wage(household, year)
            if sheets["wage_income"][household] < least:
                sheets["wage_income"][household] = least
            land = sum(int(sheets[name][household]) for name in ("cultivated_land", "orchard", "forest_land"))
            if land and sheets["business_income"][household] < 9000:
                sheets["business_income"][household] = 9000
            self.add_up(household, year, goal=goal)
            if year is self.last and not honest:
                self.cut.add(household)
                if share <= 0.5:
                    self.planted.say(household, "income_implausible")

    def add_up(self, household: int, year: Any, goal: int | None = None) -> None:
        """Sums from parts; with a `goal` (fen) the expenses take up the rest where they can."""
        sheets = year.sheets
        if goal is not None:
            parts = sum(int(sheets[name][household]) for name in MONEY[:9])
            over = parts - int(sheets["production_expenses"][household]) - goal
            room = int(sheets["business_income"][household]) * 8 // 10
            spent = int(np.clip(int(sheets["production_expenses"][household]) + over, 0, room))
            sheets["production_expenses"][household] = spent // 100 * 100
        transfer = sum(int(sheets[name][household]) for name in MONEY[3:9])
        net = sum(int(sheets[name][household]) for name in MONEY[:3]) + transfer
        net -= int(sheets["production_expenses"][household])
        counted = max(int(sheets["members_counted"][household]), 1)
        sheets["transfer_income"][household] = transfer
        sheets["net_income"][household] = net
        sheets["per_capita_income"][household] = (2 * net + counted) // (2 * counted)

    def falsify(self, household: int, low: float = 0.70, high: float = 0.99) -> None:
        """Under the line by what is declared, in both years."""
        line = LINE[self.last.year]
        self.bring_to(household, float(self.rng.uniform(low, high)) * line, self.block.years)

    def leave(self, member: int, day: np.datetime64, why: str) -> None:
        """The member lives in the household no more: no sheet this year, and what he earned away is missing."""
        household, sheets = int(self.block.members["household"][member]), self.last.sheets
        months = self.last.members["work_months"]
        all_months = int(months[self.persons_of[household]].sum())
        if all_months:
            left = 1 - int(months[member]) / all_months
            sheets["wage_income"][household] = int(int(sheets["wage_income"][household]) * left) // 100 * 100
        self.last.alive[member], months[member] = False, 0
        self.block.households["persons"][household] -= 1
        if not self.last.members["soldier"][member]:
            sheets["members_counted"][household] -= 1
        self.add_up(household, self.last)
        self.planted.left[member] = (day, why)

    def day_between(self, first: str, last: str) -> np.datetime64:
        """A day from `first` to the day before `last`."""
        begin, end = np.datetime64(first), np.datetime64(last)
        return begin + int(self.rng.integers(0, int((end - begin).astype(int))))
