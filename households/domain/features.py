"""The vocabulary an index system may speak: every feature a rule can read, and how a card's members become features.

A feature is one figure or answer of a household in an accounting year. Money and areas are whole numbers of their
smallest unit (`scale` of them make one `unit`). A count of members comes with a second column NAME_unknown: how many
more might belong to it, because something about them is not known. `sources` name the fields of the card to fill in
when the feature is unknown (households/reference/card_fields.csv, village_fields.csv).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from households.domain import income

Kind = Literal["money", "amount", "count", "truth", "choice"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One readable fact of a household. `minimum` is in the smallest unit; None means it may be negative."""

    name: str
    kind: Kind
    label: str
    meaning: str
    sources: tuple[str, ...]
    unit: str = ""
    scale: int = 1
    values: tuple[str, ...] = ()
    minimum: int | None = 0
    subject: Literal["household", "members", "village"] = "household"

    @property
    def is_number(self) -> bool:
        return self.kind in ("money", "amount", "count")


def _money(name: str, label: str, meaning: str) -> Feature:
    return Feature(name, "money", label, meaning, (name,), unit="yuan", scale=100)


def _amount(name: str, label: str, meaning: str, unit: str, scale: int = 100) -> Feature:
    return Feature(name, "amount", label, meaning, (name,), unit=unit, scale=scale)


def _truth(name: str, label: str, meaning: str) -> Feature:
    return Feature(name, "truth", label, meaning, (name,))


def _choice(name: str, label: str, meaning: str, *values: str) -> Feature:
    return Feature(name, "choice", label, meaning, (name,), values=values)


def _members(name: str, label: str, meaning: str, *sources: str) -> Feature:
    return Feature(name, "count", label, meaning, sources, unit="person", subject="members")


def _village_truth(name: str, field: str, label: str, meaning: str) -> Feature:
    return Feature(name, "truth", label, meaning, (f"village.{field}",), subject="village")


_ILLNESS = ("health",)
_SCHOOL = ("birth_date", "education", "school_status")
_INSURANCE = ("residents_insurance", "employees_insurance")

_DECLARED = (
    _money("wage_income", "工资性收入", "wage income"),
    _money("business_income", "生产经营性收入", "business income"),
    _money("property_income", "财产性收入", "property income"),
    _money("family_planning", "计划生育金", "family planning payment"),
    _money("dibao", "低保金", "dibao payment"),
    _money("wubao", "五保金", "wubao payment"),
    _money("pension", "养老保险金", "pension payment"),
    _money("ecological_compensation", "生态补偿金", "ecological compensation"),
    _money("other_transfer", "其他转移性收入", "other transfer income"),
    _money("production_expenses", "生产经营性支出", "production expenses"),
    _money("medical_cost", "自付医疗支出", "out-of-pocket medical cost"),
    Feature("transfer_income", "money", "转移性收入", "transfer income", income.TRANSFERS, unit="yuan", scale=100),
    Feature("net_income", "money", "家庭年纯收入", "net income", income.PARTS, unit="yuan", scale=100, minimum=None),
    _amount("cultivated_land", "耕地面积", "cultivated land", "mu"),
    _amount("irrigated_land", "有效灌溉面积", "irrigated land", "mu"),
    _amount("forest_land", "林地面积", "forest land", "mu"),
    _amount("orchard", "林果面积", "orchard", "mu"),
    _amount("pasture", "牧草地面积", "pasture", "mu"),
    _amount("water_surface", "水面面积", "water surface", "mu"),
    _amount("pigs", "生猪存栏", "pigs", "head", 1),
    _amount("cattle", "牛存栏", "cattle", "head", 1),
    _amount("sheep", "羊存栏", "sheep and goats", "head", 1),
    _amount("poultry", "家禽存栏", "poultry", "head", 1),
    _amount("house_area", "住房面积", "house area", "m2"),
    _amount("road_distance", "与村主干路距离", "distance to the main village road", "km"),
    _truth("production_power", "通生产用电", "production power"),
    _truth("domestic_power", "通生活用电", "domestic power"),
    _truth("water_difficult", "饮水困难", "drinking water difficult"),
    _truth("water_safe", "饮水安全", "drinking water safe"),
    _truth("unsafe_house", "危房户", "unsafe house"),
    _truth("sanitary_toilet", "有卫生厕所", "sanitary toilet"),
    _truth("cooperative", "加入农民专业合作社", "member of a farmers' cooperative"),
    _truth("television", "通广播电视", "television or broadcast"),
    _truth("broadband", "通宽带", "broadband"),
    _truth("owns_car", "有生活用汽车", "owns a car not for a living"),
    _truth("owns_machine", "有大型农机", "owns a large machine"),
    _truth("owns_flat", "有商品房", "owns a commercial flat"),
    _truth("owns_company", "办企业", "owns a company or shares"),
    _truth("public_payroll", "有财政供养人员", "member on the public payroll"),
    _choice("house_grade", "危房级别", "house safety grade", "A级", "B级", "C级", "D级"),
    _choice("main_fuel", "主要燃料类型", "main fuel", "柴草", "干畜粪", "煤炭", "清洁能源", "其他"),
    _choice("entrance_road", "入户路类型", "entrance road", "泥土路", "砂石路", "水泥路", "沥青路"),
    _choice(
        "main_cause",
        "主要致贫原因",
        "main cause of poverty",
        *("因病", "因残", "因学", "因灾", "缺土地", "缺水", "缺技术", "缺劳力", "缺资金"),
        *("交通条件落后", "自身发展动力不足", "其他"),
    ),
)

_COUNTED = (
    Feature("members", "count", "计入家庭人口", "members who count", ("counts",), unit="person", subject="members"),
    _members("ill_members", "患病或残疾人数", "members seriously or chronically ill or disabled", *_ILLNESS),
    _members("ill_working_age", "患病或残疾的16至59岁人数", "of them aged 16-59", *_ILLNESS, "birth_date"),
    _members("uninsured_members", "未参加基本医保人数", "members without medical insurance", *_INSURANCE),
    _members("out_of_school", "失学辍学的义务教育阶段儿童", "children of school age out of school", *_SCHOOL),
    _members(
        "schooled_adults", "初中及以上毕业的16岁以上人数", "members of 16+ through junior middle school", *_SCHOOL
    ),
    _members("able_members", "16至59岁有劳动能力人数", "members of 16-59 able to work", "labour", "birth_date"),
    _members("disabled_members", "残疾人数", "disabled members", "health"),
)

_VILLAGE = (
    _village_truth("village_hardened_road", "hardened_road", "通村道路已硬化", "hardened road to the village"),
    _village_truth("village_clinic", "clinic", "有标准化卫生室", "village clinic"),
    _village_truth("village_school", "school", "有小学或教学点", "school or teaching point"),
    _village_truth("village_broadband", "broadband", "村通宽带", "village broadband"),
    _village_truth("village_poor", "poor_village", "贫困村", "listed as poor village"),
    _village_truth("village_disaster", "disasters", "当年受灾", "disaster in the year"),
    Feature(
        *("village_seat_distance", "amount", "距县城距离", "distance to the county seat"),
        *(("village.county_seat_distance",), "km", 100),
        subject="village",
    ),
    Feature(
        *("village_terrain", "choice", "地形", "terrain", ("village.terrain",)),
        values=("平原", "丘陵", "山区", "湖区"),
        subject="village",
    ),
)

FEATURES: dict[str, Feature] = {feature.name: feature for feature in (*_DECLARED, *_COUNTED, *_VILLAGE)}

# Fields of members, by the bit that says in `members_missing` that a counting member has it empty.
MEMBER_FIELDS = (
    *("birth_date", "health", "education", "school_status"),
    *("residents_insurance", "employees_insurance", "labour"),
)

ILL = ("长期慢性病", "患有大病", "残疾")
FINISHED = ("初中", "高中", "中专", "大专", "本科及以上")
IN_COMPULSORY_SCHOOL = ("学前教育", "小学", "初中")
IN_HIGHER_SCHOOL = ("普通高中", "中职", "高职高专", "本科", "硕士及以上")
NOT_IN_SCHOOL = "非在校生"
ABLE = ("普通劳动力", "技能劳动力", "弱劳动力或半劳动力")


def who_counts(counts: pd.Series, soldier: pd.Series) -> np.ndarray:
    """Does an open member count in the household? Empty counts; an active soldier never does."""
    return ~((counts == False) | (soldier == True)).fillna(False).to_numpy(bool)  # noqa: E712


@dataclass(frozen=True, slots=True)
class _Known:
    """Three-valued answers: surely yes, surely no, else unknown."""

    yes: np.ndarray
    no: np.ndarray

    def __and__(self, other: "_Known") -> "_Known":
        return _Known(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: "_Known") -> "_Known":
        return _Known(self.yes | other.yes, self.no & other.no)

    def __invert__(self) -> "_Known":
        return _Known(self.no, self.yes)


def _born(birth: pd.Series, after: str, until: str) -> _Known:
    """Born after one day and up to another, both as ISO dates."""
    known = birth.notna().to_numpy()
    inside = ((birth > pd.Timestamp(after)) & (birth <= pd.Timestamp(until))).to_numpy()
    return _Known(known & inside, known & ~inside)


def member_answers(members: pd.DataFrame, year: int) -> dict[str, _Known]:
    """For each member: does it belong to the count of that name?

    Columns: birth_date (datetime64), health (list of words joined by 、), education, school_status, labour (words of
    card_fields.csv), residents_insurance, employees_insurance (boolean); empty is unknown. Ages are those of the last
    day of the accounting year, 30 September; a child that became 6 after 31 August need not be at school yet. The same
    rules stand in households/sql/household_features.sql for whole townships; a test holds the two together.
    """
    birth = pd.to_datetime(members["birth_date"])
    health = members["health"].astype("string")
    status = members["school_status"].astype("string")
    education = members["education"].astype("string")
    labour = members["labour"].astype("string")

    def says(column: pd.Series, words: tuple[str, ...]) -> _Known:
        hit = column.isin(words).to_numpy(bool)
        return _Known(hit, column.notna().to_numpy() & ~hit)

    def refuses(column: pd.Series) -> _Known:
        no = (column == False).fillna(False).to_numpy(bool)  # noqa: E712
        return _Known(no, column.notna().to_numpy() & ~no)

    def mentions(words: tuple[str, ...]) -> _Known:
        hit = health.str.contains("|".join(words)).fillna(False).to_numpy(bool)
        return _Known(hit, health.notna().to_numpy() & ~hit)

    in_school = says(status, (*IN_COMPULSORY_SCHOOL, *IN_HIGHER_SCHOOL))
    still_below = status.isin(IN_COMPULSORY_SCHOOL).to_numpy(bool)
    beyond = status.isin(IN_HIGHER_SCHOOL).to_numpy(bool)
    attained = says(education, FINISHED)
    finished = _Known(beyond | (attained.yes & ~still_below), ~beyond & (attained.no | still_below))

    school_age = _born(birth, f"{year - 16}-09-30", f"{year - 6}-08-31")
    sixteen = _born(birth, f"{year - 200}-09-30", f"{year - 16}-09-30")
    working_age = _born(birth, f"{year - 60}-09-30", f"{year - 16}-09-30")
    ill = mentions(ILL)
    return {
        "ill_members": ill,
        "ill_working_age": ill & working_age,
        "uninsured_members": refuses(members["residents_insurance"]) & refuses(members["employees_insurance"]),
        "out_of_school": school_age & ~in_school & ~finished,
        "schooled_adults": sixteen & finished,
        "able_members": working_age & says(labour, ABLE),
        "disabled_members": mentions(("残疾",)),
    }


@dataclass(frozen=True, slots=True)
class Belonging:
    """Positions of the members counted by one feature, and of those who might be."""

    surely: tuple[int, ...]
    perhaps: tuple[int, ...]


def who_belongs(members: pd.DataFrame, year: int) -> dict[str, Belonging]:
    """Which members of one household each count is made of (columns: those of `count_members` without household)."""
    counting = who_counts(members["counts"], members["soldier"])
    return {
        name: Belonging(
            tuple(map(int, np.flatnonzero(answer.yes & counting))),
            tuple(map(int, np.flatnonzero(~answer.yes & ~answer.no & counting))),
        )
        for name, answer in member_answers(members, year).items()
    }


def count_members(members: pd.DataFrame, year: int) -> pd.DataFrame:
    """Features of the members, one row per household (index: `household`), from one row per open member at year end.

    Columns beside those of `member_answers`: household, counts, soldier. Only members who count are looked at, but a
    household whose members all do not count keeps its row with members 0.
    """
    counting = who_counts(members["counts"], members["soldier"])
    columns: dict[str, np.ndarray] = {"members": counting.astype("int64")}
    for name, answer in member_answers(members, year).items():
        columns[name] = (answer.yes & counting).astype("int64")
        columns[f"{name}_unknown"] = (~answer.yes & ~answer.no & counting).astype("int64")
    missing = sum(
        (members[field].isna().to_numpy() & counting).astype("int64") << bit for bit, field in enumerate(MEMBER_FIELDS)
    )
    rows = pd.DataFrame(columns, index=members.index)
    counted = rows.groupby(members["household"]).sum()
    flags = pd.Series(missing, index=members.index).groupby(members["household"])
    counted["members_missing"] = flags.agg(lambda bits: int(np.bitwise_or.reduce(bits.to_numpy("int64"))))
    return counted
