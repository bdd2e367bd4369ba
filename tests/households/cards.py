"""Typed cards for the tests of saving: a believable family of Fengming, changed by keyword."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from households.domain.card import Card, HouseholdFacts, Member, SheetFacts
from tests.factories import id_number
from tests.personas import FENGMING


def a_member(name: str = "张建华", sex: str = "男", birth: str = "19700101", **facts: Any) -> Member:
    given = {
        "relation": "户主",
        "id_kind": "居民身份证",
        "id_number": id_number(birth, sex),
        "birth_date": date(int(birth[:4]), int(birth[4:6]), int(birth[6:])),
        "ethnicity": "汉族",
        "education": "初中",
        "school_status": "非在校生",
        "health": ("健康",),
        "labour": "普通劳动力",
        "residents_insurance": True,
        "employees_insurance": False,
        "serious_illness_insurance": True,
        "residents_pension": True,
        "employees_pension": False,
        "dibao": False,
        "soldier": False,
        "local_job": True,
        "political_status": "群众",
    }
    return Member(name=name, sex=sex, **(given | facts))


def a_wife(**facts: Any) -> Member:
    return a_member("李秀英", "女", "19720315", **({"relation": "配偶"} | facts))


def a_sheet(**facts: Any) -> SheetFacts:
    given = {
        "year": 2019,
        "attribute": "一般农户",
        **{
            part: Decimal(0)
            for part in (
                "wage_income", "property_income", "family_planning", "dibao", "wubao", "ecological_compensation",
                "other_transfer", "pension",
            )
        },
        "business_income": Decimal("9000"),
        "production_expenses": Decimal("2000"),
        "medical_cost": Decimal("300"),
        **{
            land: Decimal(0)
            for land in ("forest_land", "converted_forest", "orchard", "pasture", "water_surface", "irrigated_land")
        },
        "cultivated_land": Decimal("4.20"),
        "pigs": 2,
        "cattle": 0,
        "sheep": 0,
        "poultry": 10,
        "production_power": True,
        "domestic_power": True,
        "water_difficult": False,
        "water_safe": True,
        "road_distance": Decimal("0.50"),
        "entrance_road": "水泥路",
        "house_area": Decimal("90"),
        "unsafe_house": False,
        "house_grade": "B级",
        "sanitary_toilet": True,
        "main_fuel": "清洁能源",
        "cooperative": False,
        "television": True,
        "broadband": True,
        **{owned: False for owned in ("owns_car", "owns_machine", "owns_flat", "owns_company", "public_payroll")},
    }  # fmt: skip
    return SheetFacts(**(given | facts))


def a_card(*members: Member, sheet: dict[str, Any] | None = None, **household: Any) -> Card:
    """A card of Fengming; a couple when no members are given."""
    facts = {"village_code": FENGMING, "group": "3组", "phone": "13873600001", "address": "凤鸣村3组12号"} | household
    return Card(HouseholdFacts(**facts), a_sheet(**(sheet or {})), members or (a_member(), a_wife()))


def with_sheet(card: Card, **facts: Any) -> Card:
    return replace(card, sheet=replace(card.sheet, **facts))


def with_household(card: Card, **facts: Any) -> Card:
    return replace(card, household=replace(card.household, **facts))


def with_member(card: Card, index: int, **facts: Any) -> Card:
    members = list(card.members)
    members[index] = replace(members[index], **facts)
    return replace(card, members=tuple(members))
