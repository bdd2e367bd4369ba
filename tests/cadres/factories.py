"""Small believable cadres, units and villages for tests that do not test the import itself."""

from datetime import date
from itertools import count
from typing import Any

from cadres.models import Cadre, CadreSkill, Posting, Unit
from cadres.models.posting import end_of_term
from changde.crypto.cipher import blind_index, encrypt
from tests.factories import id_number
from tests.personas import TAOYUAN

_serial = count(1)
ROLES = ["第一书记", "驻村工作队员", "专业书记"]


def make_unit(name: str = "桃源县农业农村局", division: int = TAOYUAN, **values: Any) -> Unit:
    return Unit.objects.get_or_create(
        name=name, division_id=division, defaults={"kind": values.pop("kind", "县直部门"), **values}
    )[0]


def make_cadre(
    name: str = "李建国", *, unit: Unit | None = None, skills: dict[str, int] | None = None, **values: Any
) -> Cadre:
    """A party member of a county unit who may take any post; numbers encrypted as the services do."""
    facts = {
        "staff_number": f"GB{next(_serial):05d}",
        "pinyin": "li jian guo",
        "initials": "ljg",
        "sex": "男",
        "political_status": "中共党员",
        "rural_years": 5,
        "last_assessment": "称职",
        "possible_roles": ROLES,
    } | values
    cadre = Cadre.objects.create(name=name, unit=unit or make_unit(), **facts)
    number = id_number("19800101", serial=cadre.pk)
    cadre.id_number_cipher = encrypt(number, field="cadre.id_number", owner=cadre.pk)
    cadre.id_number_hash = blind_index(f"{number}{cadre.pk}", kind="id")
    cadre.phone_cipher = encrypt("13507360001", field="cadre.phone", owner=cadre.pk)
    cadre.phone_hash = blind_index("13507360001", kind="phone")
    cadre.save()
    CadreSkill.objects.bulk_create(
        CadreSkill(cadre=cadre, skill=skill, level=level) for skill, level in (skills or {"产业规划": 2}).items()
    )
    return cadre


def make_posting(
    cadre: Cadre, village: int, role: str = "第一书记", start: date = date(2025, 1, 1), **values: Any
) -> Posting:
    return Posting.objects.create(
        cadre=cadre, village_id=village, role=role, start=start, **({"planned_end": end_of_term(start)} | values)
    )
