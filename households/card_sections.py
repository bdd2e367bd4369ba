"""How the complete form is laid out: sections and groups of fields, once, for the form, the card's page and the print.

Every field of the registry that a person writes stands in exactly one group (a test compares). A group's fields are
named by attribute; whose entity they are follows from the registry.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from households.domain.fields import Field, by_attribute


@dataclass(frozen=True)
class Group:
    title: str | Promise
    entity: str
    attributes: tuple[str, ...]

    @property
    def fields(self) -> Iterator[Field]:
        return (
            by_attribute(entity_of(name) if self.entity == "member" else self.entity, name) for name in self.attributes
        )


@dataclass(frozen=True)
class Section:
    id: str
    title: str | Promise
    groups: tuple[Group, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups for name in group.attributes)


def _group(title: str | Promise, entity: str, *attributes: str) -> Group:
    return Group(title, entity, attributes)


BASICS = Section(
    "basics",
    _("基本情况"),
    (
        _group(_("住址与联系"), "household", "village_code", "group", "address", "phone", "number"),
        _group(_("建档属性"), "sheet", "year", "attribute", "main_cause", "other_causes", "exit_flag", "exit_year"),
        _group(_("账户与帮扶"), "household", "bank", "bank_account", "helper_name", "helper_phone"),
    ),
)
INCOME = Section(
    "income",
    _("收入与支出"),
    (
        _group(_("劳动与经营"), "sheet", "wage_income", "business_income", "property_income"),
        _group(
            _("转移性收入"),
            "sheet",
            *("family_planning", "dibao", "wubao", "pension", "ecological_compensation", "other_transfer"),
        ),
        _group(_("支出"), "sheet", "production_expenses", "medical_cost"),
    ),
)
HOUSING = Section(
    "housing",
    _("住房与饮水"),
    (
        _group(_("住房"), "sheet", "house_area", "house_grade", "unsafe_house", "sanitary_toilet", "main_fuel"),
        _group(_("饮水"), "sheet", "water_safe", "water_difficult"),
        _group(_("道路"), "sheet", "entrance_road", "road_distance"),
        _group(_("用电与通信"), "sheet", "domestic_power", "production_power", "television", "broadband"),
    ),
)
LAND = Section(
    "land",
    _("土地与养殖"),
    (
        _group(
            _("土地"),
            "sheet",
            *("cultivated_land", "irrigated_land", "forest_land", "converted_forest", "orchard", "pasture"),
            "water_surface",
        ),
        _group(_("养殖"), "sheet", "pigs", "cattle", "sheep", "poultry"),
    ),
)
ASSETS = Section(
    "assets",
    _("家庭资产"),
    (
        _group(
            _("资产与身份"),
            "sheet",
            *("owns_car", "owns_machine", "owns_flat", "owns_company", "public_payroll", "cooperative"),
        ),
    ),
)
NEEDS = Section("needs", _("诉求"), (_group(_("需要什么帮助"), "sheet", "request"),))
MEMBERS = Section(
    "members",
    _("家庭成员"),
    (
        _group(
            _("身份"),
            "member",
            *("name", "relation", "id_kind", "id_number", "sex", "birth_date", "ethnicity", "phone"),
            *("political_status", "no_id_reason", "number"),
        ),
        _group(_("教育"), "member", "education", "school_status", "out_of_school_reason"),
        _group(
            _("健康与劳动"),
            "member",
            *("health", "disability_grade", "disability_certificate", "labour", "work_place", "work_months"),
            *("local_job", "public_post"),
        ),
        _group(
            _("保障"),
            "member",
            *("residents_insurance", "employees_insurance", "serious_illness_insurance"),
            *("residents_pension", "employees_pension", "dibao", "soldier", "counts"),
        ),
    ),
)

SECTIONS = (BASICS, MEMBERS, INCOME, HOUSING, LAND, ASSETS, NEEDS)
CARD_SECTIONS = tuple(section for section in SECTIONS if section is not MEMBERS)
# Worked out or written by the save: shown, never typed.
DERIVED = ("transfer_income", "net_income", "per_capita_income", "entered_by", "entered_at")
# Fields that may honestly stay empty; every other one is asked for.
OPTIONAL = frozenset(
    {
        "number", "phone", "bank", "bank_account", "helper_name", "helper_phone", "main_cause", "other_causes",
        "exit_flag", "exit_year", "request", "no_id_reason", "out_of_school_reason", "disability_grade",
        "disability_certificate", "work_place", "work_months", "political_status", "counts",
    }
)  # fmt: skip


def entity_of(attribute: str) -> str:
    """Where a member's attribute is kept: person, membership or member_sheet."""
    for entity in ("person", "membership", "member_sheet"):
        try:
            by_attribute(entity, attribute)
        except KeyError:
            continue
        return entity
    raise KeyError(attribute)
