"""What a card says of members and household in one accounting year.

`Life` draws once what lasts (schooling, health, land, house, how well off); `Life.year` works out one year from it, so
that two years of a household tell one story: children move up a class, wages rise, some fall ill, houses are mended.
"""

from dataclasses import dataclass, field

import numpy as np

from households.domain.city.people import LEFT_BEHIND, OLD_ALONE, OLD_COUPLE, People
from households.domain.city.places import LATEST, YEARS, County, Village, county_of

MONEY = (
    "wage_income", "business_income", "property_income", "family_planning", "dibao", "wubao", "pension",
    "ecological_compensation", "other_transfer", "transfer_income", "production_expenses", "net_income",
    "per_capita_income", "medical_cost", "collective_income",
)  # fmt: skip
AREAS = (
    "cultivated_land", "irrigated_land", "forest_land", "converted_forest", "orchard", "pasture", "water_surface",
    "road_distance", "house_area", "county_seat_distance",
)  # fmt: skip
HUNDREDTHS = frozenset(MONEY + AREAS)
# What a household said to have left poverty must reach (yuan a head), with some room.
ENOUGH = {2018: 3150, 2019: 3400}
GENERAL, POOR, DIBAO, WUBAO, POOR_DIBAO = range(5)
ATTRIBUTES = np.array(["一般农户", "一般贫困户", "低保户", "五保户", "低保贫困户"], dtype=object)
STATUSES = np.array(["unregistered", "registered", "exited"], dtype=object)
_HEALTH = np.empty(5, dtype=object)
_HEALTH[:] = [("健康",), ("长期慢性病",), ("患有大病",), ("残疾",), ("长期慢性病", "残疾")]
HEALTHY, CHRONIC, SERIOUS, DISABLED, BOTH = range(5)
PRESCHOOL, ILLITERATE, PRIMARY, JUNIOR, SENIOR, VOCATIONAL, COLLEGE, UNIVERSITY = range(8)
_EDUCATION = np.array(
    ["学龄前儿童", "文盲或半文盲", "小学", "初中", "高中", "中专", "大专", "本科及以上"], dtype=object
)
_SCHOOL = np.array(["非在校生", "学前教育", "小学", "初中", "普通高中", "中职", "高职高专", "本科"], dtype=object)
_LABOUR = np.array(["普通劳动力", "技能劳动力", "弱劳动力或半劳动力", "丧失劳动力", "无劳动力"], dtype=object)
_WORK_PLACES = np.array(["", "乡镇内务工", "乡镇外县内务工", "县外省内务工", "省外务工"], dtype=object)
_GRADES = np.array(["", "一级", "二级", "三级", "四级"], dtype=object)
_HOUSES = np.array(["A级", "B级", "C级", "D级"], dtype=object)
_FUELS = np.array(["清洁能源", "柴草", "煤炭"], dtype=object)
_ROADS = np.array(["水泥路", "砂石路", "泥土路", "沥青路"], dtype=object)
_CAUSES = np.array(
    ["", "因病", "因残", "因学", "缺劳力", "缺技术", "缺资金", "交通条件落后", "自身发展动力不足", "因灾", "缺土地"],
    dtype=object,
)
_ILLNESS, _DISABILITY, _SCHOOLING, _HANDS = 1, 2, 3, 4
_REQUESTS = np.array(
    ["", "希望有一份离家近的工作", "希望学一门技术", "希望得到医疗救助", "希望修缮住房", "希望发展养殖",
     "希望孩子上学有资助"],
    dtype=object,
)  # fmt: skip
# Highest schooling of grown-ups by the year of birth: shares of illiterate, primary ... university.
_COHORTS = (
    (1950, (0.24, 0.55, 0.18, 0.03, 0, 0, 0)),
    (1965, (0.09, 0.44, 0.37, 0.10, 0, 0, 0)),
    (1980, (0.03, 0.23, 0.58, 0.13, 0.015, 0.01, 0.005)),
    (1990, (0.01, 0.07, 0.62, 0.16, 0.05, 0.06, 0.03)),
    (9999, (0.0, 0.02, 0.50, 0.20, 0.08, 0.12, 0.08)),
)


@dataclass
class YearFacts:
    """One year: columns of sheets (a row a household) and of members' sheets (a row a member who lived then)."""

    year: int
    sheets: dict[str, np.ndarray]
    alive: np.ndarray  # which members lived on the last day of the year
    members: dict[str, np.ndarray]


@dataclass
class Life:
    """What lasts about a village's households and members."""

    village: Village
    people: People
    born: np.ndarray
    rng: np.random.Generator
    county: County = field(init=False)

    def __post_init__(self) -> None:
        self.county = county_of(self.village.place.code)
        self._members()
        self._households()

    # -- what lasts ----------------------------------------------------------------------------------------------------

    def _chance(self, probability: np.ndarray | float, count: int | None = None) -> np.ndarray:
        return self.rng.random(len(self.people.age) if count is None else count) < probability

    def _sum(self, of_members: np.ndarray) -> np.ndarray:
        return np.bincount(self.people.household, of_members, minlength=self.village.households)

    def _members(self) -> None:
        people, rng, n = self.people, self.rng, self.village.households
        age, of, count = people.age, people.household, len(people.age)
        # How well off: what nobody writes down and everything follows from.
        self.fortune = rng.normal(0.25 * np.log(self.county.income) / 0.2, 0.9, n) + rng.normal(0, 0.25)
        worse = np.exp(-0.35 * self.fortune)[of]
        chronic = self._chance(np.interp(age, [0, 18, 40, 60, 80], [0.003, 0.006, 0.03, 0.14, 0.33]) * worse)
        serious = self._chance(np.interp(age, [0, 40, 60, 80], [0.001, 0.005, 0.015, 0.02]) * worse)
        disabled = self._chance(np.interp(age, [0, 20, 60, 80], [0.006, 0.015, 0.04, 0.07]) * worse)
        self.health = np.select([disabled & chronic, disabled, serious, chronic], [BOTH, DISABLED, SERIOUS, CHRONIC])
        self.fell_ill = self._chance(0.07) & ((self.health == CHRONIC) | (self.health == SERIOUS))
        disabled = (self.health == DISABLED) | (self.health == BOTH)
        self.grade = np.where(disabled, rng.choice(4, count, p=[0.12, 0.25, 0.33, 0.30]) + 1, 0)
        self.disability = np.where(disabled, rng.choice([1, 2, 3, 4, 4, 4, 5, 6], count), 0)
        self.serves = people.male & (age >= 19) & (age <= 22) & (people.place != 0) & self._chance(0.02)
        self.serves &= self.health == HEALTHY

        self.born_year = self.born.astype("datetime64[Y]").astype(np.int64) + 1970
        self.late = self.born - self.born.astype("datetime64[Y]").astype("datetime64[D]") > np.timedelta64(242, "D")
        cohort = np.searchsorted([until for until, _shares in _COHORTS], self.born_year, side="right")
        shares = np.cumsum(np.array([shares for _until, shares in _COHORTS]), axis=1)[cohort]
        self.schooling = ILLITERATE + (rng.random(count)[:, None] > shares[:, :-1]).sum(axis=1)
        self.to_senior, self.to_vocational = self._chance(0.93), self._chance(0.38)
        self.to_college, self.to_university = self._chance(0.58), self._chance(0.45)
        young = (age <= 24) & (self.born_year >= 1994)
        after = np.where(self.to_senior, np.where(self.to_vocational, VOCATIONAL, SENIOR), JUNIOR)
        finished = np.where(self.to_university, UNIVERSITY, COLLEGE)
        self.schooling = np.where(young, np.where(self.to_senior & self.to_college, finished, after), self.schooling)
        self.skilled = self._chance(0.14)
        self.goes_away = self._chance(
            self.county.away * np.interp(age, [16, 22, 40, 55, 62], [0.5, 0.62, 0.5, 0.25, 0.05])
        )
        self.local = self._chance(np.where(self.skilled | (self.schooling >= COLLEGE), 0.85, 0.4))
        self.where_to = rng.choice(4, count, p=[0.14, 0.2, 0.2, 0.46]) + 1
        self.wage = np.round(np.exp(rng.normal(7.95, 0.3, count) + 0.16 * self.fortune[of]))
        self.months = np.clip(np.round(rng.normal(9, 2.2, count)), 2, 12).astype(np.int64)
        self.employed = (
            self._chance(0.30 if self.village.place.urban else 0.06) & (age >= 20) & (self.fortune[of] > -0.6)
        )
        self.uninsured = self._chance(0.006)
        self.pensioned = self._chance(0.93)
        party = self._chance(np.interp(age, [18, 24, 60], [0, 0.04, 0.09]))
        self.politics = np.where(party, "中共党员", np.where((age <= 24) & (age >= 15), "共青团员", "群众"))
        self.politics = self.politics.astype(object)

    def _households(self) -> None:
        people, rng, n = self.people, self.rng, self.village.households
        kind, urban, county = people.kind, self.village.place.urban, self.county
        persons = self._sum(np.ones(len(people.age)))
        sick = self._sum(self.health != HEALTHY)
        able = self._sum((people.age >= 16) & (people.age < 60) & (self.health == HEALTHY))
        pupils = self._sum((people.age >= 16) & (people.age <= 21))
        hardship = -self.fortune + 0.7 * (sick > 0) + 0.5 * (able == 0) + 0.25 * (pupils > 0) + rng.normal(0, 0.5, n)
        hardship += 0.2 * np.isin(kind, (OLD_ALONE, LEFT_BEHIND))
        share = county.poor * (0.25 if urban else 1) * np.exp(rng.normal(0, 0.3))
        listed = np.zeros(n, bool)
        listed[np.argsort(-hardship, kind="stable")[: rng.binomial(n, min(share, 0.6))]] = True
        # The old without able children are kept in full; others who cannot live by work get dibao.
        alone = (kind == OLD_ALONE) & (able == 0)
        kept = alone & self._chance(np.where(listed, 0.6, 0.12), n)
        in_need = ~kept & (able == 0) & (hardship > 0.4) & self._chance(0.25, n)
        self.attribute = np.select(
            [kept, listed & (in_need | self._chance(0.28, n)), listed, in_need],
            [WUBAO, POOR_DIBAO, POOR, DIBAO],
            GENERAL,
        )
        self.listed = listed
        when = rng.choice([2014, 2015, 2016, 2017, 2018, 2019], n, p=[0.14, 0.15, 0.17, 0.18, 0.24, 0.12])
        self.exit_year = np.where(listed & self._chance(np.where(hardship > 2.4, 0.72, 0.93), n), when, 0)
        self.receives_dibao = np.isin(self.attribute, (DIBAO, POOR_DIBAO))

        def hundredths(values: np.ndarray, share: float = 1.0) -> np.ndarray:
            return np.where(self._chance(share, n), np.round(values * 10), 0).astype(np.int64) * 10

        land = persons * rng.lognormal(0.05, 0.45, n) * (0.35 if urban else 1.0)
        self.land = {
            "cultivated_land": np.minimum(hundredths(land, 0.55 if urban else 0.96), 6000),
            "forest_land": np.minimum(hundredths(county.forest * persons * rng.lognormal(0.3, 0.8, n), 0.6), 15000),
            "converted_forest": np.minimum(hundredths(county.forest * rng.lognormal(0.2, 0.6, n), 0.12), 4000),
            "orchard": np.minimum(hundredths(county.forest * rng.lognormal(0.3, 0.8, n), 0.12), 8000),
            "pasture": np.zeros(n, np.int64),
            "water_surface": np.minimum(hundredths(county.water * rng.lognormal(0.7, 0.8, n), 0.18), 6000),
        }
        watered = rng.uniform(0.55, 0.97, n)
        self.land["irrigated_land"] = (self.land["cultivated_land"] * watered).astype(np.int64)
        scale = 0.25 if urban else 1.0
        self.animals = {
            "pigs": np.where(self._chance(0.28 * scale, n), rng.geometric(0.45, n), 0),
            "cattle": np.where(self._chance(0.05 * scale, n), rng.geometric(0.6, n), 0),
            "sheep": np.where(self._chance(0.04 * scale, n), rng.geometric(0.12, n), 0),
            "poultry": np.where(self._chance(0.62 * scale, n), rng.geometric(0.06, n), 0),
        }
        area = np.clip(persons * rng.normal(26, 6, n) + rng.normal(38, 14, n), 16, 420)
        self.house_area = np.round(area * 10).astype(np.int64) * 10
        bad = self._chance(np.clip(0.02 * np.exp(-0.5 * self.fortune), 0, 0.4), n)
        self.house = np.where(bad, np.where(self._chance(0.35, n), 3, 2), np.where(self._chance(0.62, n), 0, 1))
        self.mended = self._chance(np.clip(0.025 * np.exp(-0.5 * self.fortune), 0, 0.4), n)
        far = rng.gamma(1.4, 0.45, n) * (0.5 if urban else 1.0)
        self.road_distance = np.minimum(np.round(far * 100), 480).astype(np.int64)
        self.road = rng.choice(4, n, p=[0.97, 0.02, 0.0, 0.01] if urban else [0.82, 0.11, 0.05, 0.02])
        dry = rng.random() < 0.03
        self.no_water = self._chance(0.16 if dry else 0.012, n)
        self.toilet = self._chance(np.clip(0.84 + 0.06 * self.fortune, 0.3, 0.995), n)
        self.fuel = np.where(self._chance(np.clip(0.66 + 0.08 * self.fortune, 0.1, 0.98), n), 0, 1)
        self.fuel = np.where(self._chance(0.06, n), 2, self.fuel)
        self.powered = self._chance(0.994, n)
        self.tv, self.net = self._chance(0.972, n), rng.random(n) - 0.05 * self.fortune
        self.joined = self._chance(np.where(listed, 0.32, 0.09), n)
        better = np.where(listed, 0.1, 1.0)
        self.assets = {
            "owns_car": self._chance(np.clip(0.16 + 0.07 * self.fortune, 0, 0.6) * better, n),
            "owns_machine": self._chance(0.018 * better, n),
            "owns_flat": self._chance(np.clip(0.05 + 0.03 * self.fortune, 0, 0.4) * better, n),
            "owns_company": self._chance(0.007 * better, n),
            "public_payroll": self._chance((0.04 if urban else 0.012) * better, n),
        }
        self.support = np.where(self._chance(0.82, n), np.exp(rng.normal(8.35 + 0.22 * self.fortune, 0.45)), 0)
        self.rent = np.where(self._chance(0.13, n), np.exp(rng.normal(6.6, 0.8, n)), 0)
        self.gets_by = self._chance(np.where(listed, 0.45, 0.91), n)
        self.standing = rng.gamma(2.2, 0.45, n) + 1.0
        self.girls_paid = self._chance(0.12, n)
        self.request = np.where(self._chance(np.where(listed, 0.4, 0.03), n), rng.integers(1, len(_REQUESTS), n), 0)
        self.cause = rng.integers(5, len(_CAUSES), n)
        self.second_cause = np.where(self._chance(0.45, n), rng.integers(4, len(_CAUSES), n), 0)
        self.third_cause = np.where(self._chance(0.1, n), rng.integers(4, len(_CAUSES), n), 0)
        self.clerk = rng.integers(0, 2, n)

    # -- one year ------------------------------------------------------------------------------------------------------

    def year(self, year: int) -> YearFacts:
        back = LATEST - year
        age = self.people.age - back
        alive = age >= 0
        exited = (self.exit_year > 0) & (self.exit_year <= year)
        members = self._school(year, age, exited)
        health = np.where((back > 0) & self.fell_ill, HEALTHY, self.health)
        labour = self._labour(age, health, members.pop("in_school"))
        worker = (labour < 2) & alive & ~self.serves
        away = worker & self.goes_away & (age >= 17)
        away &= ~((back > 0) & self._chance(0.06))
        near = worker & ~away & self.local
        post = alive & ~away & self.listed[self.people.household] & (age >= 20) & (age <= 68) & (labour < 3)
        post &= self._chance(0.05)
        uninsured = self.uninsured & ~exited[self.people.household]
        employed = self.employed & (labour < 2) & ~uninsured
        insured = ~employed & ~uninsured
        pays = (age >= 16) & (labour != 4) | (age >= 60)
        months = np.clip(self.months - back * self.rng.integers(0, 3, len(age)), 1, 12)
        members |= {
            "health": _HEALTH[health],
            "disability_grade": _GRADES[self.grade],
            "labour": _LABOUR[labour],
            "work_place": _WORK_PLACES[np.where(away, self.where_to, 0)],
            "work_months": np.where(away, months, 0),
            "local_job": near | employed & ~away,
            "public_post": post,
            "counts": np.ones(len(age), bool),
            "residents_insurance": insured,
            "employees_insurance": employed,
            "serious_illness_insurance": insured,
            "residents_pension": pays & ~employed & self.pensioned & (age >= 16),
            "employees_pension": employed,
            "dibao": self.receives_dibao[self.people.household],
            "soldier": self.serves,
            "political_status": self.politics,
        }
        sheets = self._conditions(year, exited, health, labour, members, alive)
        sheets |= self._incomes(year, age, alive, away, months, near, post, members, health, exited)
        return YearFacts(year, sheets, alive, members)

    def _school(self, year: int, age: np.ndarray, exited: np.ndarray) -> dict[str, np.ndarray]:
        """School and schooling; who became 6 after 31 August enters a year later, so a class is told by `grade`."""
        grade = year - self.born_year - self.late
        senior = self.to_senior & (grade >= 15) & (grade <= 17)
        college = self.to_senior & self.to_college & (grade >= 18) & (grade <= np.where(self.to_university, 21, 20))
        school = np.select(
            [(grade >= 3) & (grade <= 5), (grade >= 6) & (grade <= 11), (grade >= 12) & (grade <= 14), senior, college],
            [1, 2, 3, np.where(self.to_vocational, 5, 4), np.where(self.to_university, 7, 6)],
        )
        school = np.where(self.serves, 0, school)
        done = np.where(grade < 18, np.where(grade < 15, PRIMARY, JUNIOR), self.schooling)
        after = np.where(self.to_vocational, VOCATIONAL, SENIOR)
        done = np.where((grade >= 18) & (school > 0), after, done)
        # 17 on the last day can be through senior school, never through college.
        done = np.where((age < 18) & (done >= COLLEGE), after, done)
        done = np.where((grade >= 18) & self.serves, np.minimum(done, after), done)
        done = np.where(grade < 6, PRESCHOOL, done)
        left = (grade >= 13) & (grade <= 14) & self._chance(0.006) & ~exited[self.people.household]
        reason = np.where(left, "因病休学", "").astype(object)
        school = np.where(left, 0, school)
        return {
            "education": _EDUCATION[done],
            "school_status": _SCHOOL[school],
            "out_of_school_reason": reason,
            "in_school": school > 0,
        }

    def _labour(self, age: np.ndarray, health: np.ndarray, in_school: np.ndarray) -> np.ndarray:
        """Positions in _LABOUR."""
        weak = np.isin(health, (SERIOUS, DISABLED, BOTH)) | (health == CHRONIC) & (age >= 45)
        severe = (self.grade > 0) & (self.grade <= 2)
        labour = np.where(self.skilled, 1, 0)
        labour = np.where(weak, 2, labour)
        labour = np.where(severe, 3, labour)
        old = age > 64
        labour = np.where(old & (labour < 3), np.where((age <= 70) & self.local, 0, 2), labour)
        labour = np.where((age > 74) & (labour < 3), 4, labour)
        return np.where((age < 16) | in_school, 4, labour)

    def _conditions(
        self,
        year: int,
        exited: np.ndarray,
        health: np.ndarray,
        labour: np.ndarray,
        members: dict[str, np.ndarray],
        alive: np.ndarray,
    ) -> dict[str, np.ndarray]:
        n, back = self.village.households, LATEST - year
        house = np.where((back > 0) & self.mended & ~exited, 2, self.house)
        house = np.where(exited & (house > 1), 1, house)
        dry = self.no_water & ~exited
        ill = self._sum((health != HEALTHY) & alive) > 0
        disabled = self._sum((self.grade > 0) & alive) > 0
        schooling = self._sum((members["school_status"] != "非在校生") & alive) > 0
        persons, able = self._sum(alive), self._sum((labour < 2) & alive)
        sick = self._sum(np.isin(health, (CHRONIC, SERIOUS)) & alive) > 0
        pick = self.clerk + self.cause
        cause = np.select(
            [sick & (pick % 3 < 2), disabled & ill, schooling & (pick % 4 == 0), 2 * able < persons],
            [_ILLNESS, _DISABILITY, _SCHOOLING, _HANDS],
            self.cause,
        )
        cause = np.where(self.listed, cause, 0)
        others = np.empty(n, dtype=object)
        others[:] = [
            tuple(dict.fromkeys(_CAUSES[each] for each in (second, third) if each and each != main)) if main else ()
            for main, second, third in zip(
                cause.tolist(), self.second_cause.tolist(), self.third_cause.tolist(), strict=True
            )
        ]
        flag = np.where(~self.listed, "", np.where(exited, "已脱贫", "未脱贫")).astype(object)
        entered = np.datetime64(f"{year}-10-08T08:30") + self.rng.integers(0, 60 * 24 * 45, n).astype("timedelta64[m]")
        clerks = np.array(
            [f"村文书{self.village.slot + 1:03d}甲", f"村文书{self.village.slot + 1:03d}乙"], dtype=object
        )
        return {
            "attribute": ATTRIBUTES[self.attribute],
            "main_cause": _CAUSES[cause],
            "other_causes": others,
            "exit_flag": flag,
            "exit_year": np.where(exited, self.exit_year, 0),
            **{name: values for name, values in self.land.items()},
            **self.animals,
            "production_power": self.powered,
            "domestic_power": np.ones(n, bool),
            "water_difficult": dry,
            "water_safe": ~dry,
            "road_distance": self.road_distance,
            "entrance_road": _ROADS[np.where((back > 0) & (self.road == 0) & self._chance(0.03, n), 1, self.road)],
            "house_area": self.house_area,
            "unsafe_house": house > 1,
            "house_grade": _HOUSES[house],
            "sanitary_toilet": self.toilet & ~((back > 0) & self._chance(0.08, n)),
            "main_fuel": _FUELS[self.fuel],
            "cooperative": self.joined,
            "television": self.tv,
            "broadband": self.net < (0.58 if back else 0.66),
            **self.assets,
            "request": _REQUESTS[self.request],
            "entered_by": clerks[self.clerk],
            "entered_at": entered,
        }

    def _incomes(
        self,
        year: int,
        age: np.ndarray,
        alive: np.ndarray,
        away: np.ndarray,
        months: np.ndarray,
        near: np.ndarray,
        post: np.ndarray,
        members: dict[str, np.ndarray],
        health: np.ndarray,
        exited: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Whole yuan, but the pension; per capita to the fen."""
        n, rng = self.village.households, self.rng
        rise = 0.92 ** (LATEST - year) * self.county.income
        noise = np.exp(rng.normal(0, 0.12, n))
        near_months = np.where(members["employees_insurance"], 12, 5)
        wage = self._sum(away * months * self.wage * rise) + self._sum(near * near_months * self.wage * 0.6 * rise)
        wage = np.round(wage * noise) + self._sum(post) * 6000
        wage = np.where((wage < 150 * self._sum(away * months)), 200 * self._sum(away * months), wage)
        land, animals = self.land, self.animals
        gross = (
            land["cultivated_land"] * 13.5 + land["orchard"] * 16 + land["water_surface"] * 17
            + land["forest_land"] * 0.6 + land["converted_forest"] * 0.3
        ) * rise  # fmt: skip
        gross += animals["pigs"] * 1750 + animals["cattle"] * 4200 + animals["sheep"] * 850 + animals["poultry"] * 62
        business = np.round(gross * np.exp(rng.normal(0, 0.18, n)))
        business = np.where((sum(land.values()) > 0) & (business < 1), 90, business)
        expenses = np.round(business * rng.uniform(0.32, 0.55, n))
        pensioners = (age >= 60) & alive
        drawn = pensioners * members["residents_pension"] * (103 + 9 * (year - YEARS[0])) * 12
        pension = self._sum(drawn) + self._sum(pensioners & members["employees_pension"]) * 14_400
        old_only = np.isin(self.people.kind, (OLD_ALONE, OLD_COUPLE, LEFT_BEHIND))
        kin = np.where(self.attribute == WUBAO, 0, self.support * np.where(old_only, 1.5, 0.12) * rise)
        subsidy = land["cultivated_land"] / 100 * 105
        sick = self._sum(np.isin(health, (CHRONIC, BOTH)) & alive), self._sum((health == SERIOUS) & alive)
        cost = sick[0] * np.exp(rng.normal(6.9, 0.7, n)) + sick[1] * np.exp(rng.normal(8.7, 0.6, n))
        cost = np.round(cost + np.exp(rng.normal(5.3, 0.9, n)))
        persons = self._sum(alive)
        columns = {
            "wage_income": wage,
            "business_income": business,
            "property_income": np.round(self.rent * noise),
            "family_planning": np.where(self.girls_paid & (self._sum(pensioners) > 0), 1200, 0),
            "dibao": np.where(self.receives_dibao, np.round(persons * 215 * 12 * noise), 0),
            "wubao": np.where(self.attribute == WUBAO, np.round(6820 * rise / self.county.income), 0),
            "pension": pension,
            "ecological_compensation": np.round(land["converted_forest"] / 100 * 125 + land["forest_land"] / 100 * 14),
            "other_transfer": np.round(kin + subsidy),
        }
        columns = {name: amount.astype(np.int64) * 100 for name, amount in columns.items()}
        spent = expenses.astype(np.int64) * 100
        counted = (self._sum(alive & ~self.serves)).astype(np.int64)
        # Most who would be below the line live by odd jobs or their kin; a household that left poverty is never below.
        goal = np.where(exited, ENOUGH[year], np.where(self.gets_by, ENOUGH[year] * self.standing, 0)) * 100 * counted
        short = np.maximum(goal - (sum(columns.values()) - spent), 0)
        helped = np.ceil(short * rng.uniform(1.0, 1.3, n) / 100).astype(np.int64) * 100
        works = self._sum(alive & (near | away)) > 0
        columns["wage_income"] += np.where(works & ~exited, helped, 0)
        columns["other_transfer"] += np.where(works & ~exited, 0, helped)
        transfer = sum(columns[name] for name in MONEY[3:9])
        net = sum(columns.values()) - spent
        quotient = (2 * net + counted) // np.maximum(2 * counted, 1)
        return columns | {
            "transfer_income": transfer,
            "production_expenses": spent,
            "net_income": net,
            "per_capita_income": quotient,
            "medical_cost": cost.astype(np.int64) * 100,
            "members_counted": counted,
        }
