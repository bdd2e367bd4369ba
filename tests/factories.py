"""Small believable households for tests that do not test the saving itself."""

from itertools import count
from typing import Any

from pypinyin import Style, lazy_pinyin

from changde.crypto.cipher import blind_index, encrypt
from households.models import Household, IdentityClaim, MemberSheet, Membership, Person, Sheet

_serial = count(1)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643, MOD 11-2


def id_number(birth: str = "19700101", sex: str = "男", serial: int | None = None) -> str:
    """A made-up number of Taoyuan county with a right check digit; the 17th digit says the sex."""
    serial = (next(_serial) if serial is None else serial) % 490
    body = f"430725{birth}{serial * 2 + (1 if sex == '男' else 0) + 10:03d}"
    total = sum(
        int(digit) * weight
        for digit, weight in zip(body, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    )
    return body + "10X98765432"[total % 11]


def make_person(
    name: str = "张建华", sex: str = "男", birth: str = "1970-01-01", number: str | None = "", **values: Any
) -> Person:
    person = Person.objects.create(
        name=name,
        sex=sex,
        birth_date=birth,
        pinyin=" ".join(lazy_pinyin(name)),
        initials="".join(lazy_pinyin(name, style=Style.FIRST_LETTER)),
        id_kind="居民身份证",
        **values,
    )
    if number is not None:
        number = number or id_number(birth.replace("-", ""), sex)
        person.id_number_cipher = encrypt(number, field="person.id_number", owner=person.pk)
        person.id_number_hash = blind_index(number, kind="id")
        person.save()
    return person


MEMBER = {
    "education": "初中",
    "school_status": "非在校生",
    "health": ["健康"],
    "labour": "普通劳动力",
    "residents_insurance": True,
    "employees_insurance": False,
    "residents_pension": True,
}
SHEET = {
    "attribute": "一般农户",
    "wage_income": 0,
    "business_income": 0,
    "property_income": 0,
    "family_planning": 0,
    "dibao": 0,
    "wubao": 0,
    "pension": 0,
    "ecological_compensation": 0,
    "other_transfer": 0,
    "production_expenses": 0,
    "medical_cost": 0,
    "water_difficult": False,
    "water_safe": True,
    "house_area": 90,
    "unsafe_house": False,
    "house_grade": "B级",
    "sanitary_toilet": True,
    "main_fuel": "清洁能源",
    "cultivated_land": 3,
    "entrance_road": "水泥路",
    "domestic_power": True,
    "owns_car": False,
    "owns_machine": False,
    "owns_flat": False,
    "owns_company": False,
    "public_payroll": False,
}


def make_household(
    village: int,
    *,
    head: str = "张建华",
    year: int = 2019,
    members: int = 1,
    status: str = "unregistered",
    **sheet: Any,
) -> Household:
    """A household with a head (and further members), one sheet, valid numbers and claims."""
    household = Household.objects.create(
        village_id=village,
        number=f"{village}{next(_serial):05d}",
        group="1组",
        head_name=head,
        head_pinyin=" ".join(lazy_pinyin(head)),
        head_initials="".join(lazy_pinyin(head, style=Style.FIRST_LETTER)),
        persons=members,
        status=status,
    )
    values = SHEET | sheet
    transfer = sum(
        values[part] or 0
        for part in ("family_planning", "dibao", "wubao", "pension", "ecological_compensation", "other_transfer")
    )
    net = sum(values[part] or 0 for part in ("wage_income", "business_income", "property_income")) + transfer
    net -= values["production_expenses"] or 0
    row = Sheet.objects.create(
        household=household,
        village_id=village,
        year=year,
        members_counted=members,
        transfer_income=transfer,
        net_income=net,
        per_capita_income=round(net / members, 2),
        **values,
    )
    for position in range(members):
        relation = "户主" if position == 0 else "之子"
        birth = "1970-01-01" if position == 0 else f"{1995 + position}-01-01"
        person = make_person(head if position == 0 else head[0] + f"小{position}", "男", birth)
        Membership.objects.create(household=household, person=person, relation=relation, position=position)
        MemberSheet.objects.create(sheet=row, person=person, relation=relation, position=position, **MEMBER)
        IdentityClaim.objects.create(number_hash=person.id_number_hash, person=person, household=household)
    return household
