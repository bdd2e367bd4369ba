"""The checks of a card: what the examples of test_check_examples.py do not say."""

from dataclasses import replace
from decimal import Decimal

from households.domain import checks, id_number
from households.domain.card import Card, HouseholdFacts, Member, SheetFacts, member_from
from households.domain.checks import CHECKS, RED, YELLOW, Context
from tests.households.places import real_places

CONTEXT = Context(line=Decimal(3218), places=real_places())


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


EXITED = {"sheet.exit_flag": "已脱贫", "sheet.exit_year": 2018}


def fired(changes: dict[str, object], check_id: str) -> list[checks.core.Finding]:
    return list(CHECKS[check_id](changed(good_card(), changes), CONTEXT))


def test_nothing_is_wrong_with_a_good_card():
    assert checks.run(good_card(), CONTEXT) == []


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
