"""Who lives together: kinds of households, their members with age and sex, birth dates and ID numbers."""

from dataclasses import dataclass

import numpy as np

from households.domain.city.places import LATEST, SEQUENCES, Village

# A member's place in the household decides the relation.
HEAD, SPOUSE, CHILDREN, DAUGHTER_IN_LAW, GRANDCHILDREN, FATHER, MOTHER = 0, 1, (2, 3, 4), 5, (6, 7), 8, 9
PLACES = 10
_BY_SEX = {place: ("之子", "之女") for place in CHILDREN} | {place: ("之孙子", "之孙女") for place in GRANDCHILDREN}
_PLAIN = {0: "户主", 1: "配偶", 5: "之儿媳", 8: "之父", 9: "之母"}
# Relation by 2 x place + (0 man, 1 woman).
RELATIONS = np.array(
    [_BY_SEX.get(place, (_PLAIN.get(place, ""),) * 2)[woman] for place in range(PLACES) for woman in (0, 1)],
    dtype=object,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of household: share in villages and in communities, the head's age, how likely the head is a man."""

    share: float
    urban: float
    youngest: int
    oldest: int
    man: float
    spouse: float
    children: tuple[float, float, float, float] = (1, 0, 0, 0)  # none, one, two, three


OLD_ALONE, OLD_COUPLE, CORE, THREE_GENERATIONS, ALONE, LEFT_BEHIND, ONE_PARENT, GROWN_CHILDREN, WITH_SON = range(9)
KINDS = (
    Kind(0.07, 0.06, 62, 91, 0.45, 0),
    Kind(0.11, 0.09, 60, 87, 0.95, 1),
    Kind(0.22, 0.34, 27, 50, 0.90, 1, (0, 0.42, 0.48, 0.10)),
    Kind(0.26, 0.16, 29, 54, 0.92, 0.95, (0, 0.38, 0.50, 0.12)),
    Kind(0.05, 0.08, 30, 60, 0.75, 0),
    Kind(0.06, 0.03, 54, 71, 0.80, 0.8),
    Kind(0.04, 0.06, 28, 50, 0.45, 0, (0, 0.7, 0.3, 0)),
    Kind(0.09, 0.11, 45, 63, 0.90, 0.93, (0, 0.7, 0.3, 0)),
    Kind(0.10, 0.07, 52, 70, 0.88, 0.9),
)


@dataclass(frozen=True, slots=True)
class People:
    """The members of a village, household by household. `age` is on 30 September of the latest year."""

    kind: np.ndarray  # of each household
    household: np.ndarray  # position of each member's household
    place: np.ndarray
    position: np.ndarray
    age: np.ndarray
    male: np.ndarray

    @property
    def relation(self) -> np.ndarray:
        return RELATIONS[2 * self.place + ~self.male]


def make_people(village: Village, rng: np.random.Generator) -> People:
    n = village.households
    share = np.array([kind.urban if village.place.urban else kind.share for kind in KINDS])
    kind = rng.choice(len(KINDS), n, p=share / share.sum())
    present, age, male = np.zeros((n, PLACES), bool), np.zeros((n, PLACES), np.int64), np.zeros((n, PLACES), bool)

    def of(name: str) -> np.ndarray:
        return np.array([getattr(each, name) for each in KINDS])[kind]

    def years(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, n).astype(np.int64)

    present[:, HEAD] = True
    age[:, HEAD] = (of("youngest") + rng.beta(1.7, 1.9, n) * (of("oldest") - of("youngest"))).astype(np.int64)
    male[:, HEAD] = rng.random(n) < of("man")
    head, man = age[:, HEAD], male[:, HEAD]

    present[:, SPOUSE] = rng.random(n) < of("spouse")
    gap = np.clip(np.round(rng.normal(2, 2.5, n)), -5, 11).astype(np.int64)
    age[:, SPOUSE] = np.maximum(np.where(man, head - gap, head + gap), 24)
    male[:, SPOUSE] = ~man

    mother = np.where(man, np.where(present[:, SPOUSE], age[:, SPOUSE], head - 2), head)
    counts = (rng.random(n)[:, None] > np.cumsum([each.children for each in KINDS], axis=1)[kind][:, :3]).sum(axis=1)
    with_son = kind == WITH_SON
    counts[with_son] = 1
    child = mother - years(21, 29)
    child[with_son] = np.maximum(child[with_son], 25)
    for order, slot in enumerate(CHILDREN):
        present[:, slot] = (counts > order) & (child >= 0)
        age[:, slot] = child
        male[:, slot] = rng.random(n) < 0.525
        child = child - years(2, 7)
    male[with_son, CHILDREN[0]] = True

    wife = np.maximum(age[:, CHILDREN[0]] - years(-1, 4), 23)
    present[:, DAUGHTER_IN_LAW], age[:, DAUGHTER_IN_LAW] = with_son, wife
    grandchild = np.where(kind == LEFT_BEHIND, np.clip(mother - years(44, 52), 3, 14), wife - years(22, 27))
    likely = np.where(kind == LEFT_BEHIND, 1.0, np.where(with_son, 0.8, 0.0))
    for order, slot in enumerate(GRANDCHILDREN):
        present[:, slot] = (rng.random(n) < likely * (1.0, 0.4)[order]) & (grandchild >= 0)
        age[:, slot] = grandchild
        male[:, slot] = rng.random(n) < 0.525
        grandchild = grandchild - years(2, 6)

    parents = kind == THREE_GENERATIONS
    present[:, MOTHER] = parents & (rng.random(n) < 0.78)
    present[:, FATHER] = parents & ((rng.random(n) < 0.55) | ~present[:, MOTHER])
    age[:, MOTHER] = np.minimum(head + years(20, 29), 97)
    age[:, FATHER] = np.minimum(age[:, MOTHER] + years(0, 5), 98)
    male[:, FATHER] = True

    household, place = np.nonzero(present)
    first = np.searchsorted(household, np.arange(n))
    return People(
        kind=kind,
        household=household,
        place=place,
        position=np.arange(len(household)) - first[household],
        age=age[household, place],
        male=male[household, place],
    )


def birth_dates(people: People, village: Village, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Birth dates that fit the ages, and for each person a sequence code that nobody of that day and sex has.

    Persons of one age and sex take the days of their year one after the other in a shuffled order; only a second round
    of the year needs another sequence code of the village. Raises ValueError where the codes do not suffice.
    """
    group = people.age * 2 + people.male
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(group.max() + 2))
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - starts[group[order]]
    days = rng.permutation(365)
    first_day = (LATEST - people.age - 1971).astype("datetime64[Y]").astype("datetime64[M]") + 9
    born = first_day.astype("datetime64[D]") + days[(rank + 29 * group) % 365]
    sequence = village.slot + village.slots * (rank // 365)
    if len(sequence) and sequence.max() >= SEQUENCES:
        raise ValueError(f"more persons in {village.place.code} than there are ID numbers for")
    return born, 2 * sequence + people.male


_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHARACTERS = np.array(list("10X98765432"), dtype=object)


def id_numbers(area: int, born: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """18 characters (GB 11643): area, birth date, sequence, check character by MOD 11-2."""
    year = born.astype("datetime64[Y]")
    month = born.astype("datetime64[M]")
    day = (born - month.astype("datetime64[D]")).astype(np.int64) + 1
    written = (year.astype(np.int64) + 1970) * 10_000 + ((month - year).astype(np.int64) + 1) * 100 + day
    body = area * 10**11 + written * 1000 + sequence
    digits = body[:, None] // 10 ** np.arange(16, -1, -1) % 10
    return body.astype(str).astype(object) + _CHARACTERS[digits @ _WEIGHTS % 11]
