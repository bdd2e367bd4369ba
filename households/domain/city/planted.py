"""What people hide or invent, planted into a made-up village: favor, falsification, mistakes, and those left out.

`plant` changes a village's columns and says what it did: the planted truth, the rows department registers would hold,
who is a village cadre and whom the cadre declared. Much of what it plants is harmless: cadres' relatives who are poor,
a son's phone on his mother's card, cars of people who declare them. What looks for the signs has to tell them apart.

Every card stays one the checks accept: sums are worked out anew, and whoever works away still earns a wage.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from households.domain.city.facts import MONEY
from households.domain.city.village import Block

LINE = {2018: 2995, 2019: 3218}  # yuan a head: what those who falsify have in mind
SMALL = 40  # villages with fewer households are left as they are
_EARNED = ("wage_income", "business_income", "property_income", "other_transfer")
_POST_ORDER = ("secretary", "director", "clerk")
_CAUSES = ("缺技术", "缺资金", "自身发展动力不足", "交通条件落后")
_CARS = ("小型轿车", "小型越野客车", "小型面包车")
_OTHER_CARS = ("两轮摩托车", "三轮农用运输车", "轻型普通货车")
_OFFICES = ("中心小学", "镇卫生院", "农技推广站", "林业站", "水利站")


@dataclass
class Planted:
    """What was planted. Positions are those of households and members in the village."""

    truth: list[tuple[int, str]] = field(default_factory=list)
    registers: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    cadres: list[tuple[int, str]] = field(default_factory=list)  # household, post
    relatives: list[tuple[int, int, str]] = field(default_factory=list)  # cadre, member, relation
    split_from: dict[int, int] = field(default_factory=dict)  # household -> the household it was split from
    doubles: set[int] = field(default_factory=set)  # members whose number is another member's too

    def say(self, household: int, kind: str) -> None:
        if (household, kind) not in self.truth:
            self.truth.append((household, kind))

    def register(self, kind: str, *row: Any) -> None:
        self.registers.setdefault(kind, []).append(row)


def plant(block: Block, seed: int) -> tuple[Block, Planted]:
    """A village with its frauds and mistakes, the same from the same seed; small villages stay as they are."""
    planter = _Planter(_copy(block), np.random.default_rng([seed, block.village.place.code, 9]))
    planter.type_in_sessions()
    if block.village.households >= SMALL:
        planter.plant_all()
    planter.name_left_out()
    return planter.block, planter.planted


def _copy(block: Block) -> Block:
    years = tuple(
        replace(
            year,
            sheets={name: column.copy() for name, column in year.sheets.items()},
            members={name: column.copy() for name, column in year.members.items()},
        )
        for year in block.years
    )
    households = {name: column.copy() for name, column in block.households.items()}
    return replace(
        block,
        households=households,
        members={name: column.copy() for name, column in block.members.items()},
        years=years,
    )


class _Planter:
    def __init__(self, block: Block, rng: np.random.Generator) -> None:
        self.block, self.rng, self.planted = block, rng, Planted()
        self.n = block.village.households
        self.last = block.years[-1]
        self.taken: set[int] = set()
        self.persons_of = [np.flatnonzero(block.members["household"] == one) for one in range(self.n)]

    # -- who may be chosen ---------------------------------------------------------------------------------------------

    def _per_capita(self) -> np.ndarray:
        return self.last.sheets["per_capita_income"] / 100

    def _plain(self) -> np.ndarray:
        """Households nobody has chosen yet that are not registered and receive nothing."""
        plain = (self.block.households["status"] == "unregistered") & (self.last.sheets["attribute"] == "一般农户")
        plain[list(self.taken)] = False
        return np.flatnonzero(plain)

    def _choose(self, candidates: np.ndarray, count: int) -> list[int]:
        free = np.array([one for one in candidates.tolist() if one not in self.taken], dtype=int)
        chosen = self.rng.permutation(free)[:count].tolist()
        self.taken.update(chosen)
        return chosen

    def _number(self, share: float) -> int:
        return int(self.rng.poisson(share * self.n))

    def _adults(self, household: int) -> np.ndarray:
        of = self.persons_of[household]
        age = self._age()[of]
        return of[(age >= 20) & (age < 70) & (self.block.members["id_number"][of] != "")]

    def _age(self) -> np.ndarray:
        days = np.datetime64(f"{self.last.year}-09-30") - self.block.members["birth_date"]
        return (days.astype(np.int64) / 365.2425).astype(np.int64)

    # -- what is changed on a card -------------------------------------------------------------------------------------

    def enter_on_list(self, household: int) -> None:
        """Registered although nothing of the card asks for it."""
        homes = self.block.households
        homes["status"][household] = "registered"
        homes["status_since"][household] = np.datetime64("2018-11-01") + int(self.rng.integers(0, 400))
        helpers = homes["helper_name"][homes["helper_name"] != ""]
        homes["helper_name"][household] = helpers[0] if len(helpers) else "王建国"
        cause = _CAUSES[int(self.rng.integers(len(_CAUSES)))]
        for year in self.block.years:
            year.sheets["attribute"][household] = "一般贫困户"
            year.sheets["main_cause"][household] = cause
            year.sheets["exit_flag"][household] = "未脱贫"

    def _least_wage(self, household: int, year: Any) -> int:
        """Fen: whoever works away earns something, or the card is refused."""
        months = year.members["work_months"][self.persons_of[household]].sum()
        return int(20_000 * months)

    def bring_to(
        self, household: int, per_capita: float, years: tuple[Any, ...] | None = None, honest: bool = False
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
            least = self._least_wage(household, year)
            if sheets["wage_income"][household] < least:
                sheets["wage_income"][household] = least
            land = sum(int(sheets[name][household]) for name in ("cultivated_land", "orchard", "forest_land"))
            if land and sheets["business_income"][household] < 9000:
                sheets["business_income"][household] = 9000
            self.add_up(household, year, goal=goal)
            if share <= 0.5 and year is self.last and not honest:
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

    # -- the plantings -------------------------------------------------------------------------------------------------

    def plant_all(self) -> None:
        self.cadres_and_kin()
        self.hidden_means()
        self.hidden_income()
        self.dead_members()
        self.paper_splits()
        self.doubled_numbers()
        self.left_out()
        self.clinging()
        self.favoring_village()
        self.bunching_clerk()
        self.rounding_clerk()
        self.harmless_registers()

    def cadres_and_kin(self) -> None:
        """Three cadres with relatives in the village, declared or not; in some villages relatives made poor."""
        age = self._age()
        heads = np.array([of[0] for of in self.persons_of])
        rich = self._plain()
        rich = rich[(age[heads[rich]] >= 32) & (age[heads[rich]] <= 63)]
        rich = rich[self._per_capita()[rich] > 2 * LINE[self.last.year]]
        favors = self.rng.random() < 0.4
        for post, cadre in zip(_POST_ORDER, self._choose(rich, 3), strict=False):
            number = len(self.planted.cadres)
            self.planted.cadres.append((cadre, post))
            others = np.array([one for one in range(self.n) if one not in self.taken])
            relatives = self.rng.permutation(others)[: int(self.rng.integers(2, 6))].tolist()
            for household in relatives:
                self._tie(number, cadre, household)
            if favors:
                for household in self._choose(self._plain(), int(self.rng.integers(0, 3))):
                    self._tie(number, cadre, household)
                    self.enter_on_list(household)
                    self.falsify(household)
                    self.planted.say(household, "kin")

    def _tie(self, number: int, cadre: int, household: int) -> None:
        homes, chance = self.block.households, self.rng.random()
        if chance < 0.62:
            of = self.persons_of[household]
            member = int(of[int(self.rng.integers(min(2, len(of))))])
            if self.block.members["id_number"][member]:
                relation = ("兄弟姐妹", "其他亲属", "子女", "父母")[int(self.rng.integers(4))]
                self.planted.relatives.append((number, member, relation))
        elif chance < 0.80 and homes["phone"][cadre]:
            homes["phone"][household] = homes["phone"][cadre]
        elif chance < 0.90 and homes["bank_account"][cadre]:
            homes["bank"][household] = homes["bank"][cadre]
            homes["bank_account"][household] = homes["bank_account"][cadre]
        elif chance < 0.95:
            self._same_house(cadre, household)

    def _same_house(self, one: int, other: int) -> None:
        for year in self.block.years:
            for name in ("house_area", "road_distance"):
                year.sheets[name][other] = year.sheets[name][one]

    def hidden_means(self) -> None:
        """Cars, flats, companies and posts the card does not name, of households on the list."""
        for kind, share, asset in (
            ("vehicle", 0.010, "owns_car"), ("real_estate", 0.006, "owns_flat"), ("company", 0.005, "owns_company"),
            ("public_payroll", 0.005, "public_payroll"),
        ):  # fmt: skip
            for household in self._choose(self._plain(), self._number(share)):
                adults = self._adults(household)
                if not len(adults):
                    continue
                self.enter_on_list(household)
                for year in self.block.years:
                    year.sheets[asset][household] = False
                if self.rng.random() < 0.5:
                    self.falsify(household)
                self._register(kind, int(self.rng.choice(adults)))
                self.planted.say(household, kind)

    def _register(self, kind: str, member: int) -> None:
        id_number, rng, place = self.block.members["id_number"][member], self.rng, self.block.village.place
        if kind == "vehicle":
            plate = f"湘J{int(rng.integers(10_000, 99_999))}"
            price = int(rng.lognormal(11.3, 0.35))
            self.planted.register(kind, id_number, plate, str(rng.choice(_CARS)), self._day(2014), price)
        elif kind == "real_estate":
            what = "商铺" if rng.random() < 0.15 else "商品住宅"
            size = round(float(rng.uniform(70, 140)), 1)
            self.planted.register(kind, id_number, f"常德市{place.county}", what, size, self._day(2012))
        elif kind == "company":
            capital = int(rng.choice([300_000, 500_000, 1_000_000]))
            self.planted.register(kind, id_number, "常德某商贸有限公司", "有限责任公司", capital, "存续")
        elif kind == "public_payroll":
            self.planted.register(kind, id_number, f"{place.township}{rng.choice(_OFFICES)}", "职工")

    def _day(self, since: int) -> str:
        return str(np.datetime64(f"{since}-01-01") + int(self.rng.integers(0, (2019 - since) * 365 + 200)))

    def hidden_income(self) -> None:
        """Wages and sales left out of the card to get on the list; a few only shade what they earn."""
        rich = self._plain()
        rich = rich[self._per_capita()[rich] > 1.3 * LINE[self.last.year]]
        for household in self._choose(rich, self._number(0.012)):
            self.enter_on_list(household)
            self.falsify(household, 0.5, 1.0)

    def dead_members(self) -> None:
        on_card = np.array([one for one in range(self.n) if one not in self.taken and len(self.persons_of[one]) > 1])
        age = self._age()
        old = [one for one in on_card.tolist() if (age[self.persons_of[one]][1:] >= 70).any()]
        for household in self._choose(np.array(old, dtype=int), self._number(0.006)):
            of = self.persons_of[household][1:]
            member = int(of[np.argmax(age[of])])
            if self.block.members["id_number"][member]:
                day = np.datetime64("2017-06-01") + int(self.rng.integers(0, 800))
                self.planted.register("death", self.block.members["id_number"][member], str(day))
                self.planted.say(household, "deceased")

    def paper_splits(self) -> None:
        """Old parents on a card of their own beside their son's; and sons whose phone is on the parents' card."""
        people, homes = self.block.members, self.block.households
        able = np.bincount(
            people["household"], np.isin(self.last.members["labour"], ("普通劳动力", "技能劳动力")), minlength=self.n
        )
        old = [one for one in self._plain().tolist() if able[one] == 0 and self._age()[self.persons_of[one][0]] >= 60]
        per_capita, age = self._per_capita(), self._age()
        young = [
            one
            for one in self._plain().tolist()
            if able[one] > 0
            and per_capita[one] > 1.8 * LINE[self.last.year]
            and 25 <= age[self.persons_of[one][0]] <= 55
        ]
        for parents in self._choose(np.array(old, dtype=int), self._number(0.006)):
            for child in self._choose(np.array(young, dtype=int), 1):
                self._one_household(parents, child)
                self.enter_on_list(parents)
                self.bring_to(parents, 0.9 * LINE[self.last.year], self.block.years)
                self.planted.say(parents, "paper_split")
        for parents in self._choose(np.array(old, dtype=int), self._number(0.006)):
            for child in self._choose(np.array(young, dtype=int), 1):
                homes["phone"][parents] = homes["phone"][child]
                if self.rng.random() < 0.3:
                    self.enter_on_list(parents)
                    self.bring_to(parents, 0.8 * LINE[self.last.year], self.block.years, honest=True)

    def _one_household(self, parents: int, child: int) -> None:
        homes, rng, people = self.block.households, self.rng, self.block.members
        traces = 0
        if homes["phone"][child] and rng.random() < 0.6:
            homes["phone"][parents], traces = homes["phone"][child], traces + 1
        if homes["bank_account"][child] and rng.random() < 0.35:
            homes["bank"][parents], traces = homes["bank"][child], traces + 1
            homes["bank_account"][parents] = homes["bank_account"][child]
        if rng.random() < 0.5 or not traces:
            self._same_house(child, parents)
        if rng.random() < 0.4:
            address = f"{homes['address'][child]}{int(rng.integers(1, 60))}号"
            homes["address"][parents] = homes["address"][child] = address
        if rng.random() < 0.4:
            self.planted.split_from[parents] = child
        if people["sex"][self.persons_of[parents][0]] == "男" and rng.random() < 0.8:
            head = self.persons_of[parents][0]
            people["name"][head] = people["name"][self.persons_of[child][0]][0] + people["name"][head][1:]
            homes["head_name"][parents] = people["name"][head]

    def doubled_numbers(self) -> None:
        """A member also on a neighbour's card: the same name, number and birth date, of one age and sex."""
        people, age = self.block.members, self._age()
        for _ in range(self._number(0.002)):
            usable = np.flatnonzero(
                (people["id_number"] != "") & (people["disability_certificate"] == "") & (people["position"] > 0)
                & (age >= 25)
            )  # fmt: skip
            usable = self.rng.permutation(usable)
            for one in usable[:30].tolist():
                same = usable[
                    (age[usable] == age[one]) & (people["sex"][usable] == people["sex"][one])
                    & (people["household"][usable] != people["household"][one])
                ]  # fmt: skip
                if len(same) and one not in self.planted.doubles and int(same[0]) not in self.planted.doubles:
                    other = int(same[0])
                    for name in ("name", "birth_date", "id_number"):
                        people[name][other] = people[name][one]
                    self.planted.doubles.add(other)
                    self.planted.say(int(people["household"][one]), "duplicate_number")
                    self.planted.say(int(people["household"][other]), "duplicate_number")
                    break

    def left_out(self) -> None:
        """Poor in truth and by their card, and nobody put them on the list."""
        poor = self._plain()
        poor = poor[np.argsort(self._per_capita()[poor])][: self.n // 4]
        for household in self._choose(poor, self._number(0.008)):
            self.bring_to(household, float(self.rng.uniform(0.55, 0.97)) * LINE[self.last.year], honest=True)

    def name_left_out(self) -> None:
        """Truth is by the card: below the line of the year and never registered, planted or grown."""
        below = self._per_capita() < LINE[self.last.year]
        for household in np.flatnonzero(below & (self.block.households["status"] == "unregistered")).tolist():
            self.planted.say(household, "left_out")

    def clinging(self) -> None:
        """On the list for years although two years were good."""
        rich = self._plain()
        for year in self.block.years:
            rich = rich[year.sheets["per_capita_income"][rich] / 100 > 2.2 * LINE[year.year]]
        for household in self._choose(rich, self._number(0.006)):
            self.enter_on_list(household)
            self.block.households["status_since"][household] = np.datetime64("2015-01-30")
            self.planted.say(household, "clinging")

    def favoring_village(self) -> None:
        if self.rng.random() >= 0.08:
            return
        plain = self._plain()
        middle = plain[self._per_capita()[plain] < 4 * LINE[self.last.year]]
        for household in self._choose(middle, int(self.rng.uniform(0.07, 0.13) * self.n)):
            self.enter_on_list(household)
            if self.rng.random() < 0.5:
                self.falsify(household, 0.6, 1.2)
            self.planted.say(household, "village_rate")

    def bunching_clerk(self) -> None:
        if self.rng.random() >= 0.14:
            return
        clerks = np.unique(self.last.sheets["entered_by"])
        clerk = clerks[int(self.rng.integers(len(clerks)))]
        plain = self._plain()
        mine = plain[(self.last.sheets["entered_by"][plain] == clerk)]
        near = mine[self._per_capita()[mine] < 2.6 * LINE[self.last.year]]
        for household in self._choose(near, int(self.rng.integers(6, 15))):
            self.bring_to(household, float(self.rng.uniform(0.93, 0.998)) * LINE[self.last.year])
            if self.rng.random() < 0.6:
                self.enter_on_list(household)
            self.planted.say(household, "bunching")

    def rounding_clerk(self) -> None:
        """Everybody rounds a little; one clerk in twelve invents round figures."""
        sheets = self.last.sheets
        clerks = np.unique(sheets["entered_by"])
        rounds = {clerk: self.rng.random() < 0.08 for clerk in clerks}
        for household in range(self.n):
            fake = rounds[sheets["entered_by"][household]] and self.rng.random() < 0.8
            if sheets["exit_flag"][household] == "已脱贫":
                continue
            told = False
            for name in ("wage_income", "business_income", "production_expenses", "medical_cost"):
                amount = int(sheets[name][household])
                unit = 100_000 if fake and self.rng.random() < 0.3 else 10_000
                if amount >= 2 * unit and (fake or self.rng.random() < 0.10):
                    rounded = max(unit, round(amount / unit) * unit)
                    if name != "wage_income" or rounded >= self._least_wage(household, self.last):
                        sheets[name][household], told = rounded, fake
            self.add_up(household, self.last)
            if fake and told:
                self.planted.say(household, "digit_preference")

    def type_in_sessions(self) -> None:
        """Cards are typed one after the other, ten to thirty a sitting, some minutes each; some clerks invent them."""
        for year in self.block.years:
            sheets, rng = year.sheets, self.rng
            entered = sheets["entered_at"].astype("datetime64[s]")
            for clerk in np.unique(sheets["entered_by"]):
                mine = rng.permutation(np.flatnonzero(sheets["entered_by"] == clerk))
                hurried = year is self.last and len(mine) >= 25 and rng.random() < 0.07
                at = np.datetime64(f"{year.year}-10-08T08:30:00") + int(rng.integers(0, 86_400 * 10))
                left = 0
                for position, household in enumerate(mine.tolist()):
                    if left == 0:
                        left, at = int(rng.integers(8, 30)), at + int(rng.integers(15_000, 160_000))
                    fast = hurried and position % 40 >= 12
                    gap = rng.lognormal(3.3, 0.4) if fast else 60 + rng.lognormal(6.0, 0.7)
                    at, left = at + int(max(gap, 6)), left - 1
                    entered[household] = at
                    if fast:
                        self.planted.say(household, "typing_speed")
            sheets["entered_at"] = entered

    def harmless_registers(self) -> None:
        """What registers hold of people who hide nothing."""
        sheets, rng = self.last.sheets, self.rng
        for household in range(self.n):
            adults = self._adults(household)
            if not len(adults):
                continue
            for kind, asset in (
                ("vehicle", "owns_car"), ("real_estate", "owns_flat"), ("company", "owns_company"),
                ("public_payroll", "public_payroll"),
            ):  # fmt: skip
                if sheets[asset][household] and rng.random() < 0.9:
                    self._register(kind, int(rng.choice(adults)))
            id_number = self.block.members["id_number"][int(rng.choice(adults))]
            if rng.random() < 0.12:
                plate = f"湘J{int(rng.integers(10_000, 99_999))}"
                price = int(rng.integers(3_000, 60_000))
                self.planted.register("vehicle", id_number, plate, str(rng.choice(_OTHER_CARS)), self._day(2012), price)
            if rng.random() < 0.02:
                row = ("个体副食店", "个体工商户", int(rng.integers(5_000, 30_000)), "存续")
                if rng.random() < 0.3:
                    row = ("某种养专业合作社", "农民专业合作社", 200_000, "存续")
                elif rng.random() < 0.3:
                    row = ("常德某贸易有限公司", "有限责任公司", 100_000, "注销")
                self.planted.register("company", id_number, *row)
            if rng.random() < 0.03:
                place = self.block.village.place
                size = float(rng.integers(60, 180))
                self.planted.register(
                    "real_estate", id_number, place.county + place.township + place.name, "农村宅基地住房", size,
                    self._day(2010),
                )  # fmt: skip
