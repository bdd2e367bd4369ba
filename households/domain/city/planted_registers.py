"""What department registers hold of a village: what its cards hide, what they declare, and rows that prove nothing.

A register knows numbers, not people. Beside cars, flats, companies and posts that a card on the list hides stand rows
that only look alike: of somebody else with nearly the same number, of a number typed wrongly, of a son who moved out,
of a death after the year's end, of a farm vehicle, an old van, a house in the village, a company struck off.
"""

import numpy as np

from households.domain.city.people import id_numbers
from households.domain.city.planter import YEAR_END, Planter

_HIDDEN = (
    ("vehicle", 0.010, "owns_car"), ("real_estate", 0.006, "owns_flat"), ("company", 0.005, "owns_company"),
    ("public_payroll", 0.005, "public_payroll"),
)  # fmt: skip
_CARS = ("小型轿车", "小型越野客车", "小型面包车")
_OTHER_CARS = ("两轮摩托车", "三轮农用运输车", "轻型普通货车")
_OFFICES = ("中心小学", "镇卫生院", "农技推广站", "林业站", "水利站")
_ELSEWHERE = 430181  # another city's area code: nobody of ours has such a number
_SLIPS = 0.03  # of the rows of what is hidden: one digit of the number is wrong


def hidden_means(at: Planter) -> None:
    """Cars, flats, companies and posts the card does not name, of households on the list."""
    for kind, share, asset in _HIDDEN:
        for household in at.choose(at.plain(), at.number(share)):
            adults = at.adults(household)
            if not len(adults):
                continue
            at.enter_on_list(household)
            for year in at.block.years:
                year.sheets[asset][household] = False
            if at.rng.random() < 0.5:
                at.falsify(household)
            number = at.block.members["id_number"][int(at.rng.choice(adults))]
            _enter(at, kind, _slip(at, number) if at.rng.random() < _SLIPS else number)
            at.planted.say(household, kind)


def dead_members(at: Planter) -> None:
    """Dead before the year's end and still counted; others die after it, or are gone from the card as they should."""
    age = at.age()
    alive = [one for one in range(at.n) if one not in at.taken and len(at.persons_of[one]) > 1]
    old = [one for one in alive if (age[at.persons_of[one]][1:] >= 70).any()]
    for household in at.choose(np.array(old, dtype=int), at.number(0.006)):
        number = at.block.members["id_number"][_eldest(at, household)]
        if number:
            at.planted.register("death", number, str(at.day_between("2017-06-01", "2019-08-10")))
            at.planted.say(household, "deceased")
    for household in at.choose(np.array(old, dtype=int), at.number(0.005)):
        number = at.block.members["id_number"][_eldest(at, household)]
        if number:
            at.planted.register("death", number, str(at.day_between("2019-10-03", "2019-12-31")))
    for household in at.choose(np.array(old, dtype=int), at.number(0.004)):
        member = _eldest(at, household)
        if at.block.members["id_number"][member] and at.block.households["status"][household] != "exited":
            day = at.day_between("2018-11-01", "2019-09-20")
            at.leave(member, day, "died")
            at.planted.register("death", at.block.members["id_number"][member], str(day))


def _eldest(at: Planter, household: int) -> int:
    of = at.persons_of[household][1:]
    return int(of[np.argmax(at.age()[of])])


def moved_out(at: Planter) -> None:
    """Grown children who left poor households for the city, with a car or a flat of their own by now."""
    age, members = at.age(), at.block.members
    registered = np.flatnonzero(at.block.households["status"] == "registered")
    poor = np.concatenate([registered, at.plain()[at.per_capita()[at.plain()] < 6000]])
    with_child = [
        one
        for one in poor.tolist()
        if len(at.persons_of[one]) > 2
        and ((age[at.persons_of[one][1:]] >= 22) & (age[at.persons_of[one][1:]] <= 40)).any()
    ]
    for household in at.choose(np.array(with_child, dtype=int), at.number(0.008)):
        of = at.persons_of[household][1:]
        grown = of[(age[of] >= 22) & (age[of] <= 40) & (members["id_number"][of] != "")]
        single = [one for one in grown.tolist() if members["relation"][one] in ("之子", "之女")]
        if not single or (members["relation"][of] == "之儿媳").any():
            continue
        at.leave(single[0], at.day_between("2018-10-05", "2019-09-01"), "married_out")
        _enter(at, "vehicle" if at.rng.random() < 0.6 else "real_estate", members["id_number"][single[0]])


def harmless_rows(at: Planter) -> None:
    """What registers hold of people who hide nothing."""
    sheets, rng = at.last.sheets, at.rng
    for household in range(at.n):
        adults = at.adults(household)
        if not len(adults):
            continue
        for kind, _share, asset in _HIDDEN:
            if sheets[asset][household] and rng.random() < 0.9:
                _enter(at, kind, at.block.members["id_number"][int(rng.choice(adults))])
        member = int(rng.choice(adults))
        number = at.block.members["id_number"][member]
        if rng.random() < 0.12:
            _vehicle(at, number, str(rng.choice(_OTHER_CARS)), int(rng.integers(3_000, 60_000)), 2012)
        if rng.random() < 0.006:
            _vehicle(at, number, "小型面包车", int(rng.integers(3_000, 18_000)), 2009)
        if rng.random() < 0.02:
            _small_business(at, number)
        if rng.random() < 0.03:
            _village_house(at, number)
        if at.last.members["public_post"][member]:
            at.planted.register("public_payroll", number, at.block.village.place.name, "保洁员（公益性岗位）")
        if rng.random() < 0.02:
            _enter(at, str(rng.choice(["vehicle", "real_estate", "company", "public_payroll"])), _alike(at, member))
        if rng.random() < 0.004:
            _enter(at, "vehicle", _slip(at, number))


def _enter(at: Planter, kind: str, number: str) -> None:
    """A row that would weigh: a car, a flat or shop, a company, a post."""
    rng, place = at.rng, at.block.village.place
    if kind == "vehicle":
        _vehicle(at, number, str(rng.choice(_CARS)), int(rng.lognormal(11.3, 0.35)), 2014)
    elif kind == "real_estate":
        what = "商铺" if rng.random() < 0.15 else "商品住宅"
        size = round(float(rng.uniform(70, 140)), 1)
        at.planted.register(kind, number, f"常德市{place.county}", what, size, _day(at, 2012))
    elif kind == "company":
        capital = int(rng.choice([300_000, 500_000, 1_000_000]))
        at.planted.register(kind, number, "常德某商贸有限公司", "有限责任公司", capital, "存续")
    elif kind == "public_payroll":
        at.planted.register(kind, number, f"{place.township}{rng.choice(_OFFICES)}", "职工")


def _vehicle(at: Planter, number: str, what: str, price: int, since: int) -> None:
    plate = f"湘J{int(at.rng.integers(10_000, 99_999))}"
    at.planted.register("vehicle", number, plate, what, _day(at, since), price)


def _small_business(at: Planter, number: str) -> None:
    row = ("个体副食店", "个体工商户", int(at.rng.integers(5_000, 30_000)), "存续")
    if at.rng.random() < 0.3:
        row = ("某种养专业合作社", "农民专业合作社", 200_000, "存续")
    elif at.rng.random() < 0.3:
        row = ("常德某贸易有限公司", "有限责任公司", 100_000, "注销")
    at.planted.register("company", number, *row)


def _village_house(at: Planter, number: str) -> None:
    place = at.block.village.place
    what = "农村宅基地住房" if at.rng.random() < 0.85 else "易地扶贫搬迁安置房（成套住宅）"
    where = place.county + place.township + place.name
    at.planted.register("real_estate", number, where, what, float(at.rng.integers(60, 180)), _day(at, 2010))


def _day(at: Planter, since: int) -> str:
    return str(at.day_between(f"{since}-01-01", str(YEAR_END - 75)))


def _slip(at: Planter, number: str) -> str:
    """The number with one digit typed wrongly: its check character says so."""
    place = int(at.rng.integers(6, 17))
    digit = (int(number[place]) + int(at.rng.integers(1, 10))) % 10
    return f"{number[:place]}{digit}{number[place + 1 :]}"


def _alike(at: Planter, member: int) -> str:
    """The number of a namesake of the same birth date from another city."""
    born = at.block.members["birth_date"][member : member + 1].astype("datetime64[D]")
    sequence = np.array([int(at.block.members["id_number"][member][14:17])])
    return str(id_numbers(_ELSEWHERE, born, sequence)[0])
