"""The people in whose name the tests speak (posts as of today)."""

from dataclasses import dataclass

from changde.accounts.models import Post, User
from changde.accounts.roles import Role

CITY = 430700000000
TAOYUAN = 430725000000
RESHI = 430725103000
FENGMING = 430725103202
OTHER_VILLAGE = 430725103204  # of the same town
WULING = 430702000000
WULING_VILLAGE = 430702001004
PASSWORD = "changde-demo-2019"

# name -> (Chinese name, role, division)
PERSONAS = {
    "fengming_cadre": ("凤鸣村干部", Role.VILLAGE_CADRE, FENGMING),
    "fengming_team": ("凤鸣村工作队员", Role.WORK_TEAM, FENGMING),
    "other_cadre": ("邻村干部", Role.VILLAGE_CADRE, OTHER_VILLAGE),
    "reshi_officer": ("热市镇专干", Role.TOWNSHIP_OFFICER, RESHI),
    "reshi_second": ("热市镇分管", Role.TOWNSHIP_OFFICER, RESHI),
    "taoyuan_office": ("桃源县扶贫办", Role.COUNTY_OFFICE, TAOYUAN),
    "taoyuan_second": ("桃源县扶贫办二", Role.COUNTY_OFFICE, TAOYUAN),
    "wuling_office": ("武陵区扶贫办", Role.COUNTY_OFFICE, WULING),
    "city_office": ("市扶贫办", Role.CITY_OFFICE, CITY),
    "inspector": ("督查员", Role.INSPECTOR, CITY),
    "account_admin": ("系统管理员", Role.ACCOUNT_ADMIN, CITY),
    "county_system": ("桃源县系统", Role.COUNTY_SYSTEM, TAOYUAN),
}


@dataclass
class People:
    fengming_cadre: User
    fengming_team: User
    other_cadre: User
    reshi_officer: User
    reshi_second: User
    taoyuan_office: User
    taoyuan_second: User
    wuling_office: User
    city_office: User
    inspector: User
    account_admin: User
    county_system: User
    no_post: User


def make_people() -> People:
    """Every persona, and one account without any post; without passwords (hashing is slow), see `login`.

    Two statements for all of them, since most tests begin so; tests/platform/test_personas.py holds them to what
    `create_user` and `open_post` write.
    """
    names = {username: name for username, (name, _role, _code) in PERSONAS.items()} | {"no_post": "无岗位"}
    made = {username: User(username=username, name=name) for username, name in names.items()}
    for user in made.values():
        user.set_unusable_password()
    made["county_system"].is_client = True
    User.objects.bulk_create(made.values())
    Post.objects.bulk_create(
        Post(user=made[username], role=role, division_id=code) for username, (_name, role, code) in PERSONAS.items()
    )
    return People(**made)
