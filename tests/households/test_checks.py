"""Every check of a card with one right and one wrong example."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from households.domain import checks, id_number
from households.domain.card import Card, HouseholdFacts, Member, SheetFacts, member_from
from households.domain.checks import CHECKS, RED, YELLOW, Context, descriptions
from tests.households.places import real_places

CONTEXT = Context(line=Decimal(3218), places=real_places())
# Checks that need more than one card, or are made while a cell is read.
ELSEWHERE = {
    "id-double",
    "value-list",
    "number-form",
    "phone-shared",
    "income-jump",
    "member-vanished",
    "risk-months",
    "card-old",
}
# What no line of card_checks.csv asks for, but a card cannot do without.
OWN = {"name-missing", "year-missing", "year-outside", "birth-future", "member-twice"}


def number_of(birth: str, sex: str, area: str = "430725") -> str:
    first_17 = f"{area}{birth}00{1 if sex == '男' else 2}"
    return first_17 + id_number.check_character(first_17)


def person(relation: str, name: str, sex: str, birth: str, **values: object) -> Member:
    usual = {
        "education": "初中",
        "school_status": "非在校生",
        "health": ("健康",),
        "labour": "普通劳动力",
        "local_job": False,
        "residents_insurance": True,
        "employees_insurance": False,
        "residents_pension": False,
        "dibao": False,
    }
    written = {"relation": relation, "name": name, "sex": sex, "id_number": number_of(birth, sex), **usual, **values}
    return member_from(written)


def good_card() -> Card:
    """A household nothing is wrong with: head (47), his wife (45, works away), a daughter at school (12)."""
    return Card(
        HouseholdFacts(village_code=430725103202, phone="13057621606", head_id_number=number_of("19720907", "男")),
        SheetFacts(
            attribute="一般贫困户",
            main_cause="缺技术",
            exit_flag="未脱贫",
            year=2019,
            wage_income=Decimal("8000.50"),
            business_income=Decimal(3000),
            property_income=Decimal(0),
            family_planning=Decimal(0),
            dibao=Decimal(0),
            wubao=Decimal(0),
            pension=Decimal(0),
            ecological_compensation=Decimal(100),
            other_transfer=Decimal(0),
            transfer_income=Decimal(100),
            production_expenses=Decimal(900),
            net_income=Decimal("10200.50"),
            per_capita_income=Decimal("3400.17"),
            medical_cost=Decimal(200),
            cultivated_land=Decimal(4),
            irrigated_land=Decimal(3),
            forest_land=Decimal(0),
            converted_forest=Decimal(0),
            orchard=Decimal(0),
            pasture=Decimal(0),
            water_surface=Decimal(0),
            pigs=2,
            cattle=0,
            sheep=0,
            poultry=10,
            domestic_power=True,
            water_difficult=False,
            water_safe=True,
            road_distance=Decimal("0.5"),
            entrance_road="水泥路",
            house_area=Decimal(90),
            unsafe_house=False,
            house_grade="B级",
        ),
        (
            person("户主", "张建华", "男", "19720907"),
            person("配偶", "李秀英", "女", "19740301", work_place="省外务工", work_months=10),
            person("之女", "张敏", "女", "20070516", education="小学", school_status="初中", labour="无劳动力"),
        ),
    )


def changed(card: Card, changes: dict[str, object]) -> Card:
    """`household.x`, `sheet.x` and `0.x` (a member) set a fact; `add` appends a member, `members` replaces all."""
    for path, value in changes.items():
        part, _, name = path.partition(".")
        if part == "add":
            card = replace(card, members=(*card.members, value))
        elif part == "members":
            card = replace(card, members=value)
        elif part.isdigit():
            members = list(card.members)
            members[int(part)] = replace(members[int(part)], **{name: value})
            card = replace(card, members=tuple(members))
        else:
            card = replace(card, **{part: replace(getattr(card, part), **{name: value})})
    return card


CERTIFICATE = number_of("19720907", "男") + "42"
EXITED = {"sheet.exit_flag": "已脱贫", "sheet.exit_year": 2018}
CHILD = {"education": "小学", "school_status": "小学", "labour": "无劳动力"}

# check -> (changes that are right, changes that are wrong)
EXAMPLES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "id-check-digit": ({}, {"0.id_number": "430725197209070010"}),
    "id-length": ({}, {"0.id_number": "43072519720907001"}),
    "id-sex": ({}, {"2.sex": "男", "2.relation": "其他"}),
    "id-birth": ({}, {"2.birth_date": date(2007, 5, 15)}),
    "id-area": (
        {"0.id_number": number_of("19720907", "男", "512921"), "household.head_id_number": None},
        {"0.id_number": number_of("19720907", "男", "992921"), "household.head_id_number": None},
    ),
    "id-missing": (
        {"2.id_number": None, "2.birth_date": date(2019, 3, 1), "2.school_status": None},
        {"2.id_number": None},
    ),
    "member-twice": ({}, {"add": person("其他", "张建国", "男", "19720907")}),
    "disability-certificate": (
        {"0.health": ("残疾",), "0.disability_certificate": CERTIFICATE},
        {"0.health": ("残疾",)},
    ),
    "name-form": ({"0.name": "阿依古丽·买买提"}, {"0.name": "张建华2"}),
    "name-missing": ({}, {"0.name": None}),
    "phone-form": ({"household.phone": "0736-6622110"}, {"household.phone": "1305762160"}),
    "village-unknown": (
        {"household.village_code": None, "household.village_name": "凤鸣村", "household.township_name": "热市镇"},
        {"household.village_code": 430799999999, "household.village_name": "不存在村"},
    ),
    "year-missing": ({}, {"sheet.year": None}),
    "year-outside": ({}, {"sheet.year": 2009}),
    "one-head": ({}, {"1.relation": "户主"}),
    "head-on-card": ({}, {"household.head_id_number": number_of("19720908", "男")}),
    "spouse-sex": ({}, {"1.sex": "男"}),
    "two-spouses": ({}, {"add": person("配偶", "王芳", "女", "19750301")}),
    "relation-sex": ({}, {"2.relation": "之子"}),
    "child-age": ({}, {"add": person("之子", "张强", "男", "19850101")}),
    "parent-age": (
        {"add": person("之母", "王桂英", "女", "19500101", labour="无劳动力")},
        {"add": person("之母", "王桂英", "女", "19600101")},
    ),
    "grandchild-age": (
        {"add": person("之孙子", "张小宝", "男", "20120101", **CHILD)},
        {"add": person("之孙子", "张小宝", "男", "19990101")},
    ),
    "spouse-age": ({}, {"1.birth_date": date(2000, 1, 1), "1.id_number": None}),
    "head-minor": ({}, {"0.birth_date": date(2004, 1, 1), "0.id_number": None}),
    "age-limit": ({}, {"0.birth_date": date(1905, 1, 1), "0.id_number": None}),
    "birth-future": ({}, {"2.birth_date": date(2019, 10, 1), "2.id_number": None}),
    "household-size": (
        {},
        {"members": tuple(person("其他", "张一", "男", f"19{50 + year}0101") for year in range(11))},
    ),
    "school-age-out": (
        {"2.school_status": "非在校生", "2.out_of_school_reason": "因病休学"},
        {"2.school_status": "非在校生"},
    ),
    "education-empty": ({"2.education": None}, {"2.education": None, "2.school_status": None}),
    "education-and-school": ({}, {"2.education": "高中"}),
    "college-minor": ({"0.education": "大专"}, {"2.education": "大专"}),
    "preschool-age": ({}, {"2.school_status": "学前教育"}),
    "low-education-young": (
        {"add": person("之子", "张强", "男", "20000101")},
        {"add": person("之子", "张强", "男", "20000101", education="小学")},
    ),
    "school-age-adult": ({}, {"0.school_status": "本科"}),
    "labour-minor": ({}, {"2.labour": "弱劳动力或半劳动力"}),
    "labour-severe-disability": ({"0.disability_grade": "三级"}, {"0.disability_grade": "二级"}),
    "labour-weak-healthy": ({}, {"0.labour": "无劳动力"}),
    "labour-old": ({}, {"0.birth_date": date(1948, 1, 1), "0.id_number": None}),
    "work-away-no-labour": ({}, {"1.labour": "丧失劳动力"}),
    "work-away-pupil": ({}, {"1.school_status": "本科"}),
    "work-months": ({"1.work_months": 12}, {"1.work_months": 13}),
    "work-wage": ({}, {"sheet.wage_income": Decimal(0)}),
    "wage-nobody": (
        {"0.labour": "无劳动力"},
        {"0.labour": "无劳动力", "1.labour": "无劳动力"},
    ),
    "wage-monthly": ({}, {"sheet.wage_income": Decimal(900)}),
    "skilled-idle": ({"0.labour": "技能劳动力", "0.local_job": True}, {"0.labour": "技能劳动力"}),
    "public-post-age": ({"0.public_post": True}, {"2.public_post": True}),
    "illness-cost": ({"sheet.main_cause": "因病", "0.health": ("患有大病",)}, {"sheet.main_cause": "因病"}),
    "cause-disability": ({"sheet.main_cause": "因残", "0.health": ("残疾",)}, {"sheet.main_cause": "因残"}),
    "cause-school": (
        {"sheet.main_cause": "因学"},
        {"sheet.main_cause": "因学", "2.school_status": "非在校生"},
    ),
    "cause-labour": ({"sheet.main_cause": "缺劳力", "0.labour": "弱劳动力或半劳动力"}, {"sheet.main_cause": "缺劳力"}),
    "cause-twice": ({"sheet.other_causes": ("缺资金", "因学")}, {"sheet.other_causes": ("缺技术",)}),
    "cause-on-general": (
        {"sheet.attribute": "一般农户", "sheet.main_cause": None, "sheet.exit_flag": None},
        {"sheet.attribute": "一般农户"},
    ),
    "insurance-none": ({"0.residents_insurance": None}, {"0.residents_insurance": False}),
    "insurance-both": ({}, {"0.employees_insurance": True}),
    "pension-minor": ({"0.residents_pension": True}, {"2.residents_pension": True}),
    "pension-income": (
        {"0.residents_pension": True},
        {"0.residents_pension": True, "0.birth_date": date(1955, 1, 1), "0.id_number": None},
    ),
    "dibao-attribute": (
        {"sheet.attribute": "低保户", "0.dibao": True},
        {"sheet.attribute": "低保户"},
    ),
    "wubao-people": (
        {"sheet.attribute": "五保户", "0.health": ("残疾",), "1.health": ("长期慢性病",)},
        {"sheet.attribute": "五保户"},
    ),
    "no-labour-no-dibao": (
        {"0.labour": "无劳动力"},
        {"0.labour": "无劳动力", "1.labour": "无劳动力"},
    ),
    "income-sum": ({"sheet.net_income": Decimal("10200.51")}, {"sheet.net_income": Decimal("10200.52")}),
    "income-per-capita": (
        {"sheet.per_capita_income": Decimal("3400.16")},
        {"sheet.per_capita_income": Decimal("3400.15")},
    ),
    "income-negative": ({"sheet.net_income": Decimal(-5)}, {"sheet.medical_cost": Decimal("-0.01")}),
    "cost-without-business": ({}, {"sheet.business_income": Decimal(0)}),
    "cost-over-business": ({}, {"sheet.production_expenses": Decimal(3001)}),
    "business-without-land": (
        {"sheet.cultivated_land": Decimal(0), "sheet.irrigated_land": Decimal(0)},
        {"sheet.cultivated_land": Decimal(0), "sheet.irrigated_land": Decimal(0), "sheet.pigs": 0, "sheet.poultry": 0},
    ),
    "income-zero": ({}, {"sheet.net_income": Decimal(1499)}),
    "income-round": (
        {},
        {"sheet.wage_income": Decimal(8000), "sheet.ecological_compensation": Decimal(0)},
    ),
    "exit-below-line": (
        {**EXITED, "sheet.net_income": Decimal(9654)},
        {**EXITED, "sheet.net_income": Decimal("9653.99")},
    ),
    "exit-guarantee": (EXITED, {**EXITED, "sheet.water_safe": False}),
    "exit-year": (EXITED, {"sheet.exit_flag": "已脱贫"}),
    "house-area": ({}, {"sheet.house_area": Decimal(7)}),
    "house-grade": ({"sheet.house_grade": "D级", "sheet.unsafe_house": True}, {"sheet.house_grade": "C级"}),
    "water": ({}, {"sheet.water_difficult": True}),
    "land-range": ({"sheet.forest_land": Decimal(200)}, {"sheet.cultivated_land": Decimal(101)}),
    "land-negative": ({}, {"sheet.pasture": Decimal("-0.01")}),
    "irrigated": ({"sheet.irrigated_land": Decimal(4)}, {"sheet.irrigated_land": Decimal("4.01")}),
    "road-distance": ({}, {"sheet.road_distance": Decimal("5.01")}),
    "power": ({"sheet.domestic_power": None}, {"sheet.domestic_power": False}),
}


def fired(changes: dict[str, object], check_id: str) -> list[checks.core.Finding]:
    return list(CHECKS[check_id](changed(good_card(), changes), CONTEXT))


def test_nothing_is_wrong_with_a_good_card():
    assert checks.run(good_card(), CONTEXT) == []


def test_every_check_the_offices_run_is_a_function_or_needs_more_than_one_card():
    assert set(descriptions()) - set(CHECKS) == ELSEWHERE
    assert set(CHECKS) - set(descriptions()) == OWN


def test_every_check_has_a_right_and_a_wrong_example():
    assert set(EXAMPLES) == set(CHECKS)


@pytest.mark.parametrize("check_id", EXAMPLES)
def test_a_right_example_passes(check_id):
    assert fired(EXAMPLES[check_id][0], check_id) == []


@pytest.mark.parametrize("check_id", EXAMPLES)
def test_a_wrong_example_is_found_with_its_severity_and_fields(check_id):
    found = fired(EXAMPLES[check_id][1], check_id)
    assert found
    written = descriptions().get(check_id)
    assert {finding.severity for finding in found} == ({written.severity} if written else {found[0].severity})
    assert all(finding.check_id == check_id and finding.attributes for finding in found)


@pytest.mark.parametrize("check_id", EXAMPLES)
def test_an_empty_card_breaks_no_check(check_id):
    """Unknown fires only what looks for emptiness."""
    looks_for_emptiness = {
        "village-unknown", "year-missing", "one-head", "name-missing", "id-missing", "education-empty", "house-area",
        "water", "land-range", "road-distance",
    }  # fmt: skip
    empty = Card(members=(Member(),))
    assert bool(list(CHECKS[check_id](empty, CONTEXT))) <= (check_id in looks_for_emptiness)
    list(CHECKS[check_id](Card(), CONTEXT))


def test_red_findings_come_first_and_refuse():
    found = checks.run(changed(good_card(), {"sheet.domestic_power": False, "0.name": None}), CONTEXT)
    assert [finding.severity for finding in found] == [RED, YELLOW]
    assert checks.refuses(found)
    assert not checks.refuses(found[1:])


def test_a_yellow_check_can_be_switched_off_and_a_red_one_cannot():
    off = replace(CONTEXT, off=frozenset({"power", "name-missing"}))
    found = checks.run(changed(good_card(), {"sheet.domestic_power": False, "0.name": None}), off)
    assert [finding.check_id for finding in found] == ["name-missing"]


def test_a_written_reason_lets_an_odd_number_in_with_a_note():
    changes = {"0.id_number": "430725197209070010", "household.head_id_number": None}
    (found,) = fired({**changes, "0.no_id_reason": "老号码"}, "id-check-digit")
    assert found.severity == YELLOW


def test_a_child_that_became_6_in_september_may_still_be_at_home():
    child = {"education": "学龄前儿童", "school_status": "非在校生", "labour": "无劳动力"}
    assert fired({"add": person("之子", "张小", "男", "20130901", **child)}, "school-age-out") == []
    assert fired({"add": person("之子", "张小", "男", "20130831", **child)}, "school-age-out")


def test_sums_with_an_unknown_part_say_nothing():
    unknown = {"sheet.dibao": None, "sheet.transfer_income": Decimal(5000), "sheet.net_income": Decimal("15100.50")}
    assert fired(unknown, "income-sum") == []


def test_members_who_do_not_count_are_left_out_of_per_capita_income():
    changes = {"2.counts": False, "sheet.per_capita_income": Decimal("5100.25")}
    assert fired(changes, "income-per-capita") == []


def test_dibao_money_without_the_attribute_is_a_contradiction():
    assert fired({"sheet.dibao": Decimal(2200)}, "dibao-attribute")


def test_an_exit_in_the_future_of_its_sheet_is_found():
    assert fired({**EXITED, "sheet.exit_year": 2020}, "exit-year")


def test_months_without_a_place_and_a_place_without_months_are_found():
    assert fired({"1.work_place": None}, "work-months")
    assert fired({"1.work_months": None}, "work-months")
    assert fired({"1.work_months": 0}, "work-months")


def test_a_guarantee_names_the_field_that_misses_it():
    (found,) = fired({**EXITED, "2.school_status": "非在校生", "sheet.house_grade": "D级"}, "exit-guarantee")
    assert found.attributes == ("exit_flag", "school_status", "house_grade")
