"""One village as columns: households, persons, memberships, two years of sheets, village cards."""

import hashlib
from dataclasses import dataclass

import numpy as np

from households.domain.city import names
from households.domain.city.facts import STATUSES, Life, YearFacts
from households.domain.city.people import People, birth_dates, id_numbers, make_people
from households.domain.city.places import LATEST, YEARS, Village, county_of

_PREFIXES = np.array(["130", "135", "136", "137", "138", "139", "150", "151", "158", "173", "187", "189"], dtype=object)
_BANKS = np.array(["农村商业银行", "农业银行", "邮政储蓄银行"], dtype=object)
_INDUSTRIES = {
    "平原": ("水稻", "棉花", "蔬菜", "生猪"),
    "丘陵": ("水稻", "油菜", "油茶", "生猪"),
    "山区": ("茶叶", "柑橘", "油茶", "乡村旅游"),
    "湖区": ("水稻", "水产", "棉花", "家禽"),
}


@dataclass(frozen=True)
class Block:
    """A village: columns by table. `household` of the members is the position of their household in the village."""

    village: Village
    households: dict[str, np.ndarray]
    members: dict[str, np.ndarray]
    years: tuple[YearFacts, ...]
    village_cards: tuple[dict[str, object], ...]

    def digest(self) -> str:
        """SHA-256 over every value: the same seed must make the same village."""
        found = hashlib.sha256()
        columns = [self.households, self.members]
        columns += [table for year in self.years for table in (year.sheets, {"alive": year.alive}, year.members)]
        for table in columns:
            for name, column in table.items():
                values = column.tolist() if column.dtype == object else column.tobytes()
                found.update(f"{name}:{values!r}\n".encode())
        found.update(repr(self.village_cards).encode())
        return found.hexdigest()


def _streams(village: Village, seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """One for who lives together (so that members can be counted beforehand), one for everything else."""
    return tuple(np.random.default_rng([seed, village.place.code, number]) for number in (2, 3))  # type: ignore[return-value]


def count_members(village: Village, seed: int) -> tuple[int, int]:
    """How many members the village will have, and how many of them have sheets summed over both years."""
    if not village.households:
        return 0, 0
    age = make_people(village, _streams(village, seed)[0]).age
    return len(age), sum(int((age >= LATEST - year).sum()) for year in YEARS)


def make_village(village: Village, seed: int, first_number: int = 1) -> Block:
    """The village's cards. Household numbers are the code and a serial number from `first_number` on."""
    who, rest = _streams(village, seed)
    people = make_people(village, who)
    born, sequence = birth_dates(people, village, rest)
    life = Life(village, people, born, rest)
    numbers = id_numbers(village.place.code // 10**6, born, sequence)
    serial = np.arange(first_number, first_number + village.households)
    number = np.array([f"{village.place.code}{one:05d}" for one in serial.tolist()], dtype=object)
    members = _members(people, life, born, numbers, number, rest)
    years = tuple(life.year(year) for year in YEARS)
    return Block(
        village,
        _households(village, people, life, members, number, rest),
        members,
        years,
        tuple(_village_card(village, life, year, rest) for year in years),
    )


def _digits(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    return (rng.integers(0, 10**length, count) + 10**length).astype(str).astype("U").astype(object)


def _phones(rng: np.random.Generator, has: np.ndarray) -> np.ndarray:
    count = len(has)
    tails = np.array([text[1:] for text in _digits(rng, count, 8)], dtype=object)
    return np.where(has, _PREFIXES[rng.integers(len(_PREFIXES), size=count)] + tails, "")


def _members(
    people: People,
    life: Life,
    born: np.ndarray,
    numbers: np.ndarray,
    household_number: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    count = len(people.age)
    of_household = names.surnames(rng, life.village.households)[people.household]
    # Spouse, daughter-in-law and mother keep the names of their fathers.
    surname = np.where(np.isin(people.place, (1, 5, 9)), names.surnames(rng, count), of_household)
    newborn = (people.age < 1) & (rng.random(count) < 0.5)
    without = np.where(newborn, "新生儿尚未办理", "").astype(object)
    number = np.where(newborn, "", numbers)
    kinds = [f"{kind}{grade}" if kind else "" for kind, grade in zip(life.disability, life.grade, strict=True)]
    kinds_column = np.array(kinds, dtype=object)
    certified = (kinds_column != "") & (number != "")
    tujia = county_of(life.village.place.code).income < 0.9
    ethnicity = np.where(rng.random(count) < (0.3 if tujia else 0.015), "土家族", "汉族").astype(object)
    position = np.array([f"{one + 1:03d}" for one in people.position.tolist()], dtype=object)
    return {
        "household": people.household,
        "position": people.position,
        "relation": people.relation,
        "number": household_number[people.household] + position,
        "name": names.full_names(rng, surname, people.male),
        "sex": np.where(people.male, "男", "女").astype(object),
        "birth_date": born,
        "ethnicity": ethnicity,
        "id_kind": np.where(newborn, "无", "居民身份证").astype(object),
        "id_number": number,
        "no_id_reason": without,
        "disability_certificate": np.where(certified, number + kinds_column, ""),
        "phone": _phones(rng, (people.age >= 18) & (people.age <= 75) & (rng.random(count) < 0.45)),
        "since": np.where(people.age < 1, born, np.datetime64("NaT", "D")),
    }


def _households(
    village: Village,
    people: People,
    life: Life,
    members: dict[str, np.ndarray],
    number: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    n, place = village.households, village.place
    heads = people.position == 0
    groups = np.array([f"{one}组" for one in range(1, 2 + max(4, min(n // 35, 24)))], dtype=object)
    group = groups[np.sort(rng.integers(len(groups), size=n))]
    helped = life.listed
    helpers = names.full_names(rng, names.surnames(rng, 12), rng.random(12) < 0.6)
    helper = rng.integers(12, size=n)
    lines = _phones(rng, np.ones(12, bool))
    has_bank = rng.random(n) < 0.86
    status = np.where(life.exit_year > 0, 2, np.where(life.listed & (life.attribute != 3), 1, 0))
    # A household kept in full that is on the list carries the flag of the list too.
    status = np.where(life.listed & (life.exit_year == 0), 1, status)
    since = (np.maximum(life.exit_year, 2014) - 1970).astype("datetime64[Y]").astype("datetime64[M]") + 11
    return {
        "number": number,
        "group": group,
        "address": place.county + place.township + place.name + group,
        "head_name": members["name"][heads],
        "head_id_number": members["id_number"][heads],
        "persons": np.bincount(people.household, minlength=n),
        "phone": _phones(rng, rng.random(n) < 0.93),
        "bank": np.where(has_bank, _BANKS[rng.integers(len(_BANKS), size=n)], ""),
        "bank_account": np.where(has_bank, "62" + _digits(rng, n, 16), ""),
        "helper_name": np.where(helped, helpers[helper], ""),
        "helper_phone": np.where(helped, lines[helper], ""),
        "status": STATUSES[status],
        "status_since": since.astype("datetime64[D]") + 30,
    }


def _village_card(village: Village, life: Life, facts: YearFacts, rng: np.random.Generator) -> dict[str, object]:
    """Plain values by attribute; money and distance in hundredths."""
    place, county, members = village.place, county_of(village.place.code), facts.members
    persons = int(facts.alive.sum())
    able = members["labour"][facts.alive] != "无劳动力"
    away = members["work_place"][facts.alive] != ""
    still = np.random.default_rng([place.code, 4])  # what does not change from year to year
    poor_village = bool(still.random() < 2 * county.poor) and not place.urban
    industries = tuple(still.choice(_INDUSTRIES[county.terrain], 2, replace=False).tolist())
    disasters = tuple(rng.choice(["洪涝", "干旱", "病虫害"], 1).tolist()) if rng.random() < 0.12 else ("无",)
    return {
        "year": facts.year,
        "households": village.households,
        "rural_persons": persons,
        "resident_labour": int((able & ~away).sum()),
        "away_labour": int(away.sum()),
        "cultivated_land": int(facts.sheets["cultivated_land"].sum()),
        "terrain": county.terrain,
        "county_seat_distance": int(still.uniform(1, 62) * 10) * 10,
        "hardened_road": bool(still.random() < 0.99),
        "groups_without_road": int(still.binomial(8, 0.04)),
        "safe_water_households": int(facts.sheets["water_safe"].sum()),
        "clinic": bool(still.random() < 0.96),
        "doctors": int(still.integers(1, 4)),
        "school": bool(still.random() < 0.35),
        "broadband": bool(still.random() < 0.985),
        "collective_income": int(still.lognormal(10.8, 0.7)) * 100,
        "leading_industries": industries,
        "cooperatives": int(still.poisson(1.6)),
        "disasters": disasters,
        "poor_village": poor_village,
        "hat_removal_year": int(still.integers(2016, 2019)) if poor_village else 0,
    }
