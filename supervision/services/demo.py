"""A demonstration: a login per role, sample cards and registers, cadres, results, leads, a plan, a list, a draft.

Never in production. Every step goes through the services that people use; a second call continues with the data.
"""

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib.resources import files
from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.utils.translation import gettext as _

from cadres.models import Cadre, MatchPlan
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.accounts.roles import Role
from changde.accounts.services import create_user, open_post
from changde.divisions.models import Division
from households.models import Finding, Household, IndexVersion, RegisterVersion, Result, VillageCard
from households.services import detection, figures, index_versions
from households.services.village_cards import save_village_card
from supervision.models import PublicityList
from supervision.services import lists

PASSWORD = "changde-2019"  # noqa: S105 - of the demonstration alone; production refuses to load it
YEAR = 2019
REGISTERS = {  # kind: the sample table in households/reference/sample_registers
    "vehicle": "车辆登记",
    "real_estate": "不动产登记",
    "public_payroll": "财政供养人员",
    "company": "市场主体登记",
    "death": "死亡人口",
    "medical": "医保结算",
    "school": "学籍",
}
FENGMING, RESHI, TAOYUAN, CITY = 430725103202, 430725103000, 430725000000, 430700000000

# login, name, role, division: one per role, two where one decides what another made
PEOPLE = [
    ("cun1", "李春生", Role.VILLAGE_CADRE, FENGMING),
    ("cun2", "王建军", Role.VILLAGE_CADRE, 430725103204),
    ("dui1", "陈志远", Role.WORK_TEAM, FENGMING),
    ("zhen1", "刘海燕", Role.TOWNSHIP_OFFICER, RESHI),
    ("zhen2", "周国平", Role.TOWNSHIP_OFFICER, RESHI),
    ("xian1", "吴晓明", Role.COUNTY_OFFICE, TAOYUAN),
    ("xian2", "郑丽华", Role.COUNTY_OFFICE, TAOYUAN),
    ("shi1", "黄文斌", Role.CITY_OFFICE, CITY),
    ("ducha1", "孙立新", Role.INSPECTOR, CITY),
    ("guanli1", "何静", Role.ACCOUNT_ADMIN, CITY),
    ("anquan1", "罗强", Role.RIGHTS_ADMIN, CITY),
    ("shenji1", "谢敏", Role.AUDIT_ADMIN, CITY),
]


def load_demo(*, say: Callable[[str], None]) -> None:
    """Load what is missing of the demonstration. Raises Refusal in production."""
    if settings.PRODUCTION:
        raise Refusal("demo_in_production", _("正式环境不得装入演示数据"))
    people = _people()
    say(f"{len(people)} logins")
    call_command("load_index_default")
    call_command("load_standard_default")
    if not Household.objects.exists():
        call_command("import_cards", str(files("households") / "reference/sample_cards.xlsx"), initial=True)
    if not VillageCard.objects.exists():
        say(f"{_village_cards(people['zhen1'])} village cards")
    if not Cadre.objects.exists():
        call_command("import_cadres", str(files("cadres") / "reference/demo_cadres.xlsx"))
    if not Result.objects.exists():
        call_command("recompute_index", division=CITY, year=YEAR, now=True)
    if not RegisterVersion.objects.exists():
        say(_leads_of_registers())
    if not MatchPlan.objects.exists():
        call_command("match_cadres", division=TAOYUAN)
    figures.count_marked()
    if not PublicityList.objects.exists():
        say(_post_first_list(people["cun1"], people["dui1"]))
    if not IndexVersion.objects.exclude(division=None).exists():
        say(_draft_index(people["xian1"]))


def _people() -> dict[str, User]:
    for username, name, role, code in PEOPLE:
        if not User.objects.filter(username=username).exists():
            with transaction.atomic():
                user = create_user(username=username, name=name, password=PASSWORD, by=None)
                open_post(user=user, role=role, division=Division.objects.get(code=code), by=None)
    return {user.username: user for user in User.objects.filter(username__in=[row[0] for row in PEOPLE])}


def _village_cards(by: User) -> int:
    text = files("supervision").joinpath("reference/demo_village_cards.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    for row in rows:
        village, year = Division.objects.get(code=row.pop("village_code")), int(row.pop("year"))
        save_village_card(village=village, year=year, facts=_typed(row), expected_version=None, by=by)
    return len(rows)


def _typed(row: dict[str, str]) -> dict:
    lists_of = {"leading_industries", "disasters"}
    flags = {"hardened_road", "clinic", "school", "broadband", "poor_village"}
    texts = {"terrain"}
    decimals = {"cultivated_land", "county_seat_distance", "collective_income"}
    values: dict = {}
    for name, cell in row.items():
        if name in lists_of:
            values[name] = cell.split("、") if cell else []
        elif name in texts:
            values[name] = cell
        elif not cell:
            values[name] = None
        elif name in flags:
            values[name] = cell == "是"
        else:
            values[name] = Decimal(cell) if name in decimals else int(cell)
    return values


def _post_first_list(maker: User, poster: User) -> str:
    draft = lists.draft_first_list(village=Division.objects.get(code=FENGMING), year=YEAR, by=maker)
    return f"posted list {lists.post(publicity_list=draft, by=poster)}"


def _leads_of_registers() -> str:
    """Compare the sample tables of seven departments with the cards; then every other rule that finds leads."""
    for kind, name in REGISTERS.items():
        file = str(files("households") / f"reference/sample_registers/{name}.xlsx")
        call_command("import_register", kind, file, area=TAOYUAN, as_of=date(YEAR, 10, 31), stdout=StringIO())
    detection.keep(division=CITY, year=YEAR)
    return f"{len(REGISTERS)} registers, {Finding.objects.open().of_leads().count()} leads"


def _draft_index(maker: User) -> str:
    """A county's draft after the city's default, for the workshop: not tried yet."""
    default = IndexVersion.objects.in_force().get(division=None, year=YEAR)
    county = Division.objects.get(code=TAOYUAN)
    return f"draft {index_versions.start_draft(copied_from=default, division=county, year=YEAR, by=maker)}"
