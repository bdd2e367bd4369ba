"""What a valid card is, once: the typed whole card that form, workbook and API hand to checks and services.

Attribute names are those of reference/card_fields.csv (a test compares). Values come out of `values.parse`. Money is
yuan with two places; empty is None or an empty tuple, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from households.domain import id_number
from households.domain.income import member_counts
from households.domain.values import MonthOnly
from households.domain.worksheet import IncomeLine

HEAD, SPOUSE = "户主", "配偶"


@dataclass(frozen=True, slots=True)
class HouseholdFacts:
    """The lasting facts of a household, and how the writer named its place and head (not stored)."""

    number: str | None = None
    village_code: int | None = None
    group: str | None = None
    phone: str | None = None
    address: str | None = None
    bank: str | None = None
    bank_account: str | None = None
    helper_name: str | None = None
    helper_phone: str | None = None
    city_name: str | None = None
    county_name: str | None = None
    township_name: str | None = None
    village_name: str | None = None
    head_name: str | None = None
    head_id_number: str | None = None


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """The facts of one accounting year; year Y is 1 October Y-1 to 30 September Y."""

    attribute: str | None = None
    main_cause: str | None = None
    other_causes: tuple[str, ...] = ()
    exit_flag: str | None = None
    exit_year: int | None = None
    year: int | None = None
    wage_income: Decimal | None = None
    business_income: Decimal | None = None
    property_income: Decimal | None = None
    family_planning: Decimal | None = None
    dibao: Decimal | None = None
    wubao: Decimal | None = None
    pension: Decimal | None = None
    ecological_compensation: Decimal | None = None
    other_transfer: Decimal | None = None
    transfer_income: Decimal | None = None
    production_expenses: Decimal | None = None
    net_income: Decimal | None = None
    per_capita_income: Decimal | None = None
    medical_cost: Decimal | None = None
    cultivated_land: Decimal | None = None
    irrigated_land: Decimal | None = None
    forest_land: Decimal | None = None
    converted_forest: Decimal | None = None
    orchard: Decimal | None = None
    pasture: Decimal | None = None
    water_surface: Decimal | None = None
    pigs: int | None = None
    cattle: int | None = None
    sheep: int | None = None
    poultry: int | None = None
    production_power: bool | None = None
    domestic_power: bool | None = None
    water_difficult: bool | None = None
    water_safe: bool | None = None
    road_distance: Decimal | None = None
    entrance_road: str | None = None
    house_area: Decimal | None = None
    unsafe_house: bool | None = None
    house_grade: str | None = None
    sanitary_toilet: bool | None = None
    main_fuel: str | None = None
    cooperative: bool | None = None
    television: bool | None = None
    broadband: bool | None = None
    owns_car: bool | None = None
    owns_machine: bool | None = None
    owns_flat: bool | None = None
    owns_company: bool | None = None
    public_payroll: bool | None = None
    request: str | None = None
    entered_by: str | None = None
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member: identity, relation to the head, and the facts of the sheet's year. A person may have no number.

    `id_number` is the 18-character form where the number is valid; `old_id_number` the 15 digits it was written as.
    """

    number: str | None = None
    name: str | None = None
    sex: str | None = None
    id_kind: str | None = None
    id_number: str | None = None
    disability_certificate: str | None = None
    no_id_reason: str | None = None
    birth_date: date | None = None
    ethnicity: str | None = None
    phone: str | None = None
    relation: str | None = None
    education: str | None = None
    school_status: str | None = None
    out_of_school_reason: str | None = None
    health: tuple[str, ...] = ()
    disability_grade: str | None = None
    labour: str | None = None
    work_place: str | None = None
    work_months: int | None = None
    local_job: bool | None = None
    public_post: bool | None = None
    counts: bool | None = None
    residents_insurance: bool | None = None
    employees_insurance: bool | None = None
    serious_illness_insurance: bool | None = None
    residents_pension: bool | None = None
    employees_pension: bool | None = None
    dibao: bool | None = None
    soldier: bool | None = None
    political_status: str | None = None
    old_id_number: str | None = None

    @property
    def is_counted(self) -> bool:
        """Counts in per-capita income (domain.income)."""
        return member_counts(self.counts, self.soldier)

    def age_in(self, year: int | None) -> int | None:
        """Full years on 30 September, the last day of the accounting year; None when date or year is unknown."""
        if self.birth_date is None or year is None:
            return None
        birth = self.birth_date
        return year - birth.year - ((birth.month, birth.day) > (9, 30))


@dataclass(frozen=True, slots=True)
class Card:
    """A whole card: household, one year's sheet, members in the order of the card, the lines of the worksheet."""

    household: HouseholdFacts = HouseholdFacts()
    sheet: SheetFacts = SheetFacts()
    members: tuple[Member, ...] = ()
    lines: tuple[IncomeLine, ...] = ()

    @property
    def counted(self) -> int:
        """Members in per-capita income."""
        return sum(member.is_counted for member in self.members)

    @property
    def heads(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.relation == HEAD)

    @property
    def head(self) -> Member | None:
        """The head, where the card has exactly one."""
        return self.heads[0] if len(self.heads) == 1 else None


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that fired. `member` is the index of the member it is about, None for the household.

    `attributes` name the fields to look at, the one to mark first; `parameters` fill the message.
    """

    check_id: str
    severity: str
    member: int | None = None
    attributes: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


def member_from(values: Mapping[str, Any]) -> Member:
    """A member out of parsed values by attribute name; unknown names are left out.

    Completes what the number says: a 15-digit number gets its 18-character form and is kept beside it; an empty birth
    date or sex is read from a valid number, and a birth date without a day takes the day of the number when the month
    agrees. Zero months away without a place means not working away.
    """
    known = {name: value for name, value in values.items() if name in _MEMBER_NAMES}
    text, birth = known.get("id_number"), known.get("birth_date")
    number = id_number.parse(text) if text else None
    if number is not None:
        known["id_number"] = number.number
        known["old_id_number"] = number.old or known.get("old_id_number")
        if known.get("sex") is None:
            known["sex"] = number.sex
        if birth is None or (
            isinstance(birth, MonthOnly)
            and (birth.year, birth.month) == (number.birth_date.year, number.birth_date.month)
        ):
            birth = number.birth_date
    if birth is not None:
        known["birth_date"] = date(birth.year, birth.month, birth.day)
    if known.get("work_months") == 0 and known.get("work_place") is None:
        known["work_months"] = None
    return Member(**known)


def household_from(values: Mapping[str, Any]) -> HouseholdFacts:
    """Household facts out of parsed values by attribute name; unknown names are left out."""
    return HouseholdFacts(**{name: values[name] for name in _HOUSEHOLD_NAMES if name in values})


def sheet_from(values: Mapping[str, Any]) -> SheetFacts:
    """Sheet facts out of parsed values by attribute name; unknown names are left out."""
    return SheetFacts(**{name: values[name] for name in _SHEET_NAMES if name in values})


_MEMBER_NAMES = frozenset(each.name for each in fields(Member))
_HOUSEHOLD_NAMES = frozenset(each.name for each in fields(HouseholdFacts))
_SHEET_NAMES = frozenset(each.name for each in fields(SheetFacts))
