"""Who may do what, on one page. A post gives a role at a division; a capability is one verb of the system."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    VILLAGE_CADRE = "village_cadre", _("村干部")
    WORK_TEAM = "work_team", _("驻村工作队员")
    HELPER = "helper", _("帮扶责任人")
    TOWNSHIP_OFFICER = "township_officer", _("乡镇专干")
    COUNTY_OFFICE = "county_office", _("县扶贫办")
    CITY_OFFICE = "city_office", _("市扶贫办")
    DEPARTMENT = "department", _("行业部门")
    INSPECTOR = "inspector", _("督查员")
    ACCOUNT_ADMIN = "account_admin", _("系统管理员")
    RIGHTS_ADMIN = "rights_admin", _("安全管理员")
    AUDIT_ADMIN = "audit_admin", _("审计管理员")
    COUNTY_SYSTEM = "county_system", _("县级系统")


ADMINISTRATORS = frozenset({Role.ACCOUNT_ADMIN, Role.RIGHTS_ADMIN, Role.AUDIT_ADMIN})

_VILLAGE = {Role.VILLAGE_CADRE, Role.WORK_TEAM}
_OFFICES = {Role.TOWNSHIP_OFFICER, Role.COUNTY_OFFICE, Role.CITY_OFFICE}
_READERS = _VILLAGE | _OFFICES | {Role.INSPECTOR}

# Capability -> roles that hold it. Rows are narrowed further by the area of the post (visible_to).
CAPABILITIES: dict[str, frozenset[str]] = {
    capability: frozenset(roles)
    for capability, roles in {
        # every signed-in person, whatever the post
        "work": set(Role) - {Role.COUNTY_SYSTEM},
        # households
        "read_cards": _READERS | {Role.HELPER},
        "edit_cards": _VILLAGE | {Role.TOWNSHIP_OFFICER},
        "import_cards": _VILLAGE | _OFFICES,
        "export_cards": _VILLAGE | _OFFICES,
        "read_results": _READERS | {Role.HELPER},
        "decide_duplicates": _VILLAGE | _OFFICES,  # the lowest office that covers both records, never who typed one
        "recompute": _OFFICES,
        "review_findings": _OFFICES,  # accept or return what a check noted; never on one's own card
        "read_leads": _OFFICES | {Role.INSPECTOR},
        "read_fairness": {
            Role.COUNTY_OFFICE,
            Role.CITY_OFFICE,
            Role.INSPECTOR,
        },  # who types, which villages
        "work_leads": _OFFICES,  # visit, decide, hand over; what is about people of an office: the county or the city
        "manage_village_cadres": {Role.COUNTY_OFFICE},  # numbers and relatives of village cadres: nobody else
        "manage_checks": {Role.COUNTY_OFFICE, Role.CITY_OFFICE},
        "read_index": _READERS,  # the standard one is judged by; drafts only with manage_index
        "manage_index": {Role.COUNTY_OFFICE, Role.CITY_OFFICE},
        "read_standards": _READERS,
        "manage_standards": {Role.COUNTY_OFFICE, Role.CITY_OFFICE},
        # department registers: a department brings its own and reads no card; offices read all of their area
        "bring_registers": {Role.COUNTY_OFFICE, Role.CITY_OFFICE, Role.DEPARTMENT},
        "read_registers": {Role.COUNTY_OFFICE, Role.CITY_OFFICE},
        # cadres
        "read_cadres": _OFFICES | {Role.INSPECTOR},
        "manage_cadres": {Role.COUNTY_OFFICE, Role.CITY_OFFICE},
        "match_cadres": {Role.COUNTY_OFFICE, Role.CITY_OFFICE},
        "read_needs": _READERS,
        "correct_needs": _VILLAGE | _OFFICES,
        # supervision
        "read_lists": _READERS,
        "work_on_lists": _VILLAGE | {Role.TOWNSHIP_OFFICER},  # either step; the service asks for the step's own right
        "make_village_list": _VILLAGE,
        "post_village_list": _VILLAGE,
        "make_township_list": {Role.TOWNSHIP_OFFICER},
        "post_township_list": {Role.TOWNSHIP_OFFICER},
        "read_objections": {Role.TOWNSHIP_OFFICER, Role.COUNTY_OFFICE, Role.INSPECTOR},
        "decide_objections": {Role.TOWNSHIP_OFFICER, Role.COUNTY_OFFICE},
        "read_figures": _READERS,
        # REST
        "use_api": _READERS | {Role.COUNTY_SYSTEM},
        # three separate administrators, none of whom reads cards
        "manage_accounts": {Role.ACCOUNT_ADMIN},
        "manage_rights": {Role.RIGHTS_ADMIN},
        "read_log": {Role.AUDIT_ADMIN},
    }.items()
}


def capabilities_of(roles: set[str]) -> frozenset[str]:
    return frozenset(capability for capability, holders in CAPABILITIES.items() if holders & roles)
