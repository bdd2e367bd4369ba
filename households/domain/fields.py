"""The complete form: every field of the card and of the village card, with its national code, header and list.

Read once from reference/card_fields.csv and village_fields.csv. Forms, import, export and the API take headers, types
and allowed values from here, so a field is described in one place.
"""

import csv
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

HOUSEHOLD_SHEET, MEMBER_SHEET = "户信息", "人信息"


@dataclass(frozen=True, slots=True)
class Field:
    """One column. `entity` is empty for a column that only names or joins (county, head's name ...).

    Types: text, code12, id, certificate, phone, account, enum, enum list, year, money, decimal, integer, yes/no,
    date, datetime.
    """

    sheet: str
    entity: str
    attribute: str
    national_code: str
    header: str
    english: str
    type: str
    unit: str
    values: tuple[str, ...]
    note: str

    @property
    def is_personal(self) -> bool:
        """Encrypted at rest and masked in every message."""
        return self.type in {"id", "certificate", "phone", "account"}


def _read(file_name: str, **fixed: str) -> tuple[Field, ...]:
    with (files("households") / "reference" / file_name).open(encoding="utf-8") as lines:
        return tuple(_field({**fixed, **row}) for row in csv.DictReader(lines))


def _field(row: dict[str, str]) -> Field:
    return Field(
        sheet=row["sheet"],
        entity=row["entity"],
        attribute=row["attribute"],
        national_code=row.get("national_code", ""),
        header=row["header"],
        english=row["english"],
        type="enum list" if row["type"] == "list" else row["type"],
        unit=row["unit"],
        values=tuple(row["values"].split("|")) if row["values"] else (),
        note=row["note"],
    )


CARD_FIELDS = _read("card_fields.csv")
VILLAGE_FIELDS = _read("village_fields.csv", sheet="村信息", entity="village_card")

_BY_ATTRIBUTE = MappingProxyType(
    {(field.entity, field.attribute): field for field in CARD_FIELDS + VILLAGE_FIELDS if field.entity}
)


def normalise_header(text: str) -> str:
    """Headers compare without blanks, in half width, without a trailing star (required)."""
    return "".join(unicodedata.normalize("NFKC", text).split()).rstrip("*")


_BY_HEADER = MappingProxyType(
    {(field.sheet, normalise_header(field.header)): field for field in CARD_FIELDS + VILLAGE_FIELDS}
)


def by_header(sheet: str, header: str) -> Field | None:
    """The field under a header of a workbook's sheet; a national code serves as header too."""
    plain = normalise_header(header)
    return _BY_HEADER.get((sheet, plain)) or next(
        (field for field in by_code(plain.lower()) if field.sheet == sheet), None
    )


def by_attribute(entity: str, attribute: str) -> Field:
    """The field behind an attribute of household, sheet, person, membership, member_sheet or village_card."""
    return _BY_ATTRIBUTE[entity, attribute]


_OF_MEMBER = ("person", "membership", "member_sheet")


def by_card_attribute(entity: str, attribute: str) -> Field:
    """The field behind an attribute of a typed card: household, sheet, or member (whose rows are three entities)."""
    entities = _OF_MEMBER if entity == "member" else (entity,)
    return next(_BY_ATTRIBUTE[name, attribute] for name in entities if (name, attribute) in _BY_ATTRIBUTE)


@cache
def by_code(national_code: str) -> tuple[Field, ...]:
    """Fields of a national code; a joining column repeats the code of the field it joins."""
    return tuple(field for field in CARD_FIELDS if national_code and field.national_code == national_code)


@cache
def of_entity(entity: str) -> tuple[Field, ...]:
    """All fields of an entity in the order of the form."""
    return tuple(field for field in CARD_FIELDS + VILLAGE_FIELDS if field.entity == entity)


@cache
def of_sheet(sheet: str) -> tuple[Field, ...]:
    """All columns of a workbook's sheet in the order of the template."""
    return tuple(field for field in CARD_FIELDS + VILLAGE_FIELDS if field.sheet == sheet)
