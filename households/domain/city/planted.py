"""What people hide or invent, planted into a made-up village: favor, falsification, mistakes, and those left out.

`plant` changes a village's columns and says what it did: the planted truth, the rows department registers would hold,
who is a village cadre and whom the cadre declared. Much of what it plants is harmless: cadres' relatives who are poor,
a son's phone on his mother's card, cars of people who declare them. What looks for the signs has to tell them apart.
"""

import numpy as np

from households.domain.city.planted_hardship import hard_times, long_illness
from households.domain.city.planted_registers import dead_members, harmless_rows, hidden_means, moved_out
from households.domain.city.planted_truth import name_truth
from households.domain.city.planter import LINE, Planted, Planter, copy_of
from households.domain.city.village import Block

SMALL = 40  # villages with fewer households are left as they are
_POST_ORDER = ("secretary", "director", "clerk")


def plant(block: Block, seed: int) -> tuple[Block, Planted]:
    """A village with its frauds and mistakes, the same from the same seed; small villages stay as they are."""
    planter = _Planter(copy_of(block), np.random.default_rng([seed, block.village.place.code, 9]))
    planter.type_in_sessions()
    if block.village.households >= SMALL:
        planter.plant_all()
    name_truth(planter)
    return planter.block, planter.planted


class _Planter(Planter):
    # -- the plantings -------------------------------------------------------------------------------------------------

    def plant_all(self) -> None:
        self.cadres_and_kin()
        hidden_means(self)
        self.hidden_income()
        dead_members(self)
        self.paper_splits()
        self.doubled_numbers()
        self.left_out()
        self.clinging()
        long_illness(self)
        hard_times(self)
        moved_out(self)
        self.favoring_village()
        self.bunching_clerk()
        self.rounding_clerk()
        harmless_rows(self)

    def cadres_and_kin(self) -> None:
        """Three cadres with relatives in the village, declared or not; in some villages relatives made poor."""
        age = self.age()
        heads = np.array([of[0] for of in self.persons_of])
        rich = self.plain()
        rich = rich[(age[heads[rich]] >= 32) & (age[heads[rich]] <= 63)]
        rich = rich[self.per_capita()[rich] > 2 * LINE[self.last.year]]
        favors = self.rng.random() < 0.4
        for post, cadre in zip(_POST_ORDER, self.choose(rich, 3), strict=False):
            number = len(self.planted.cadres)
            self.planted.cadres.append((cadre, post))
            others = np.array([one for one in range(self.n) if one not in self.taken])
            relatives = self.rng.permutation(others)[: int(self.rng.integers(2, 6))].tolist()
            for household in relatives:
                self.tie(number, cadre, household)
            if favors:
                for household in self.choose(self.plain(), int(self.rng.integers(0, 3))):
                    self.tie(number, cadre, household)
                    self.enter_on_list(household)
                    self.falsify(household)
                    self.tied.add(household)  # also where nothing shows it

    def tie(self, number: int, cadre: int, household: int) -> None:
        homes, chance = self.block.households, self.rng.random()
        if chance < 0.62:
            of = self.persons_of[household]
            member = int(of[int(self.rng.integers(min(2, len(of))))])
            if self.block.members["id_number"][member]:
                relation = ("兄弟姐妹", "其他亲属", "子女", "父母")[int(self.rng.integers(4))]
                self.planted.relatives.append((number, member, relation))
                self.tied.add(household)
        elif chance < 0.80 and homes["phone"][cadre]:
            homes["phone"][household] = homes["phone"][cadre]
            self.tied.add(household)
        elif chance < 0.90 and homes["bank_account"][cadre]:
            homes["bank"][household] = homes["bank"][cadre]
            homes["bank_account"][household] = homes["bank_account"][cadre]
            self.tied.add(household)
        elif chance < 0.95:
            self.same_house(cadre, household)
            self.tied.add(household)

    def same_house(self, one: int, other: int) -> None:
        for year in self.block.years:
            for name in ("house_area", "road_distance"):
                year.sheets[name][other] = year.sheets[name][one]

    def hidden_income(self) -> None:
        """Wages and sales left out of the card to get on the list; a few only shade what they earn."""
        rich = self.plain()
        rich = rich[self.per_capita()[rich] > 1.3 * LINE[self.last.year]]
        for household in self.choose(rich, self.number(0.012)):
            self.enter_on_list(household)
            self.falsify(household, 0.5, 1.0)

    def paper_splits(self) -> None:
        """Old parents on a card of their own beside their son's; and sons whose phone is on the parents' card."""
        homes, able = self.block.households, self.able()
        old = [one for one in self.plain().tolist() if able[one] == 0 and self.age()[self.persons_of[one][0]] >= 60]
        per_capita, age = self.per_capita(), self.age()
        young = [
            one
            for one in self.plain().tolist()
            if able[one] > 0
            and per_capita[one] > 1.8 * LINE[self.last.year]
            and 25 <= age[self.persons_of[one][0]] <= 55
        ]
        for parents in self.choose(np.array(old, dtype=int), self.number(0.006)):
            for child in self.choose(np.array(young, dtype=int), 1):
                self._one_household(parents, child)
                self.enter_on_list(parents)
                self.bring_to(parents, 0.9 * LINE[self.last.year], self.block.years)
                self.planted.say(parents, "paper_split")
        for parents in self.choose(np.array(old, dtype=int), self.number(0.006)):
            for child in self.choose(np.array(young, dtype=int), 1):
                homes["phone"][parents] = homes["phone"][child]
                if self.rng.random() < 0.3:
                    self.enter_on_list(parents, in_need=True)
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
            self.same_house(child, parents)
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
        people, age = self.block.members, self.age()
        for _ in range(self.number(0.002)):
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
        poor = self.plain()
        poor = poor[np.argsort(self.per_capita()[poor])][: self.n // 4]
        for household in self.choose(poor, self.number(0.008)):
            self.bring_to(household, float(self.rng.uniform(0.55, 0.97)) * LINE[self.last.year], honest=True)

    def clinging(self) -> None:
        """On the list for years although two years were good."""
        rich = self.plain()
        for year in self.block.years:
            rich = rich[year.sheets["per_capita_income"][rich] / 100 > 2.2 * LINE[year.year]]
        for household in self.choose(rich, self.number(0.006)):
            self.enter_on_list(household)
            self.block.households["status_since"][household] = np.datetime64("2015-01-30")

    def favoring_village(self) -> None:
        if self.rng.random() >= 0.08:
            return
        self.is_favoring = True
        plain = self.plain()
        middle = plain[self.per_capita()[plain] < 4 * LINE[self.last.year]]
        for household in self.choose(middle, int(self.rng.uniform(0.07, 0.13) * self.n)):
            self.enter_on_list(household)
            if self.rng.random() < 0.5:
                self.falsify(household, 0.6, 1.2)

    def bunching_clerk(self) -> None:
        if self.rng.random() >= 0.14:
            return
        clerks = np.unique(self.last.sheets["entered_by"])
        clerk = clerks[int(self.rng.integers(len(clerks)))]
        self.bunching_clerks.add(clerk)
        plain = self.plain()
        mine = plain[(self.last.sheets["entered_by"][plain] == clerk)]
        near = mine[self.per_capita()[mine] < 2.6 * LINE[self.last.year]]
        for household in self.choose(near, int(self.rng.integers(6, 15))):
            self.bring_to(household, float(self.rng.uniform(0.93, 0.998)) * LINE[self.last.year])
            if self.rng.random() < 0.6:
                self.enter_on_list(household)

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
                    if name != "wage_income" or rounded >= self.least_wage(household, self.last):
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
