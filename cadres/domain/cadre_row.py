"""A row of the cadre workbook as typed facts, or what is wrong with its cells (reference/cadre_fields.csv).

Cells are converted by the same rules as those of household cards (households.domain.values); lists and skills have
their own forms here. A problem names its column and a code of households.messages or cadres.messages.
"""

import calendar
import csv
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from households.domain import id_number, values
from households.domain.fields import Field, normalise_header
from households.domain.values import Bad, MonthOnly
from households.domain.workbook import Layout, Row, Table

SHEET = "干部信息"
REQUIRED = ("staff_number", "name", "unit")
LENGTHS = {"staff_number": 40, "name": 60, "unit": 100, "position": 100, "rank": 60, "major": 100}
LONGEST_DIALECT = 40
DEFAULT_LEVEL = 1  # a skill without a level counts as basic: nothing more was claimed
MOST_RURAL_YEARS = 60
CITY_PREFIX = 4307

_SPLIT = re.compile(r"[、,;/|\s]+")
_SKILL = re.compile(r"(?P<skill>[^()（）\d]+?)\s*(?:[(（](?P<level>[^()（）]*)[)）])?")
_PHONE = re.compile(r"1\d{10}|0\d{2,3}-?\d{7,8}")


@cache
def cadre_fields() -> tuple[Field, ...]:
    """The columns of the workbook, in the order of the template."""
    with (files("cadres") / "reference" / "cadre_fields.csv").open(encoding="utf-8") as lines:
        return tuple(
            Field(
                sheet=SHEET,
                entity="cadre",
                attribute=row["attribute"],
                national_code="",
                header=row["header"],
                english=row["english"],
                type=row["type"],
                unit="",
                values=tuple(row["values"].split("|")) if row["values"] else (),
                note=row["note"],
            )
            for row in csv.DictReader(lines)
        )


@cache
def field_of(attribute: str) -> Field:
    return next(of for of in cadre_fields() if of.attribute == attribute)


@cache
def _headers() -> Mapping[str, Field]:
    return {normalise_header(of.header): of for of in cadre_fields()}


def by_header(text: str) -> Field | None:
    return _headers().get(normalise_header(text))


def layout(sheet: str = SHEET) -> Layout[Field]:
    """How the sheet is found and read; `sheet` where a workbook names it otherwise."""
    return Layout(sheet, by_header, needed=tuple((field_of(name).header,) for name in REQUIRED))


@dataclass(frozen=True, slots=True)
class Places:
    """The divisions a row may name: villages and other divisions of Changde by code, counties by name."""

    villages: Collection[int]
    others: Collection[int]
    counties: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row: in which column, by which code."""

    column: str
    code: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CadreRow:
    """The facts of a row by attribute; an attribute that is not in it has no column in the workbook. Empty is None, an
    empty list an empty tuple; `skills` is a mapping to levels."""

    number: int
    facts: Mapping[str, Any]
    problems: tuple[Problem, ...]


def read_row(row: Row, table: Table[Field], places: Places, *, serial_shift: int = 0) -> CadreRow:
    """Convert every cell of a row and look at what can only be judged together."""
    facts: dict[str, Any] = {}
    problems = []
    for of, index in table.columns.items():
        value = _cell(of, row.cell(index), places, serial_shift)
        if isinstance(value, Bad):
            problems.append(Problem(of.header, value.check_id, value.parameters))
            value = None
        facts[of.attribute] = value
    unread = {problem.column for problem in problems}
    together = [problem for problem in _together(facts) if problem.column not in unread]
    return CadreRow(row.number, facts, (*problems, *together))


def _cell(of: Field, raw: Any, places: Places, shift: int) -> Any:
    special = _SPECIAL.get(of.attribute)
    if special:
        return special(of, raw, places)
    value = values.parse(of, raw, serial_shift=shift)
    if isinstance(value, Bad) or value is None:
        return value
    if isinstance(value, str) and len(value) > LENGTHS.get(of.attribute, values.DEFAULT_LENGTH):
        return Bad("text-long", {"limit": LENGTHS.get(of.attribute, values.DEFAULT_LENGTH)})
    judge = _JUDGED.get(of.attribute)
    return judge(value) if judge else value


# --- cells judged after conversion -----------------------------------------------------------------------------------


def _number(text: str) -> str | Bad:
    found = id_number.parse(text)
    if found is None:
        return Bad(id_number.check(id_number.normalise(text)) or "id-length", {"length": len(text)})
    return found.number


def _phone(text: str) -> str | Bad:
    return text if _PHONE.fullmatch(text) else Bad("phone-form")


def _years(years: int) -> int | Bad:
    return years if years <= MOST_RURAL_YEARS else Bad("number-form", {"kind": "large"})


def _last_day(day: date) -> date:
    """Until a month means until its last day."""
    if not isinstance(day, MonthOnly):
        return day
    return date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])


def _first_day(day: date) -> date:
    return date(day.year, day.month, day.day)


_JUDGED: dict[str, Callable[[Any], Any]] = {
    "id_number": _number,
    "phone": _phone,
    "rural_years": _years,
    "available_from": _first_day,
    "available_to": _last_day,
}


# --- lists and places -------------------------------------------------------------------------------------------------


def _parts(raw: Any) -> list[str]:
    """The entries of a list cell; a single number is an entry of its own."""
    if isinstance(raw, float) and raw == int(raw):
        raw = int(raw)
    text = values.plain("" if raw is None else raw)
    if text.upper() in values.EMPTY_WORDS:
        return []
    return [part for part in _SPLIT.split(text) if part]


def _skills(of: Field, raw: Any, places: Places) -> dict[str, int] | Bad:
    levels: dict[str, int] = {}
    for part in _parts(raw):
        found = _SKILL.fullmatch(part)
        if found is None or found["skill"] not in of.values:
            return Bad("value-list", {"allowed": list(of.values)})
        level = found["level"]
        if level is not None and level not in ("1", "2", "3"):
            return Bad("skill-level")
        levels[found["skill"]] = max(levels.get(found["skill"], 0), int(level or DEFAULT_LEVEL))
    return levels


def _choices(of: Field, raw: Any, places: Places) -> tuple[str, ...] | Bad:
    found = dict.fromkeys(_parts(raw))
    if any(part not in of.values for part in found):
        return Bad("value-list", {"allowed": list(of.values)})
    return tuple(found)


def _dialects(of: Field, raw: Any, places: Places) -> tuple[str, ...] | Bad:
    found = tuple(dict.fromkeys(_parts(raw)))
    return Bad("text-long", {"limit": LONGEST_DIALECT}) if any(len(one) > LONGEST_DIALECT for one in found) else found


def _village(text: str, places: Places) -> int | Bad:
    """A village of Changde, or any 12-digit code of another city: the home of a cadre may lie anywhere."""
    if not text.isascii() or not text.isdigit() or len(text) != 12:
        return Bad("number-form", {"kind": "code"})
    code = int(text)
    if code in places.villages or code // 10**8 != CITY_PREFIX:
        return code
    return Bad("not-a-village", {"code": text})


def _home(of: Field, raw: Any, places: Places) -> int | None | Bad:
    parts = _parts(raw)
    if not parts:
        return None
    return _village(parts[0], places) if len(parts) == 1 else Bad("number-form", {"kind": "code"})


def _avoided(of: Field, raw: Any, places: Places) -> tuple[int, ...] | Bad:
    codes = [_village(part, places) for part in _parts(raw)]
    bad = next((code for code in codes if isinstance(code, Bad)), None)
    return bad or tuple(dict.fromkeys(code for code in codes if isinstance(code, int)))


def _unit_division(of: Field, raw: Any, places: Places) -> int | None | Bad:
    parts = _parts(raw)
    if not parts:
        return None
    if len(parts) > 1 or not parts[0].isdigit() or len(parts[0]) != 12:
        return Bad("number-form", {"kind": "code"})
    code = int(parts[0])
    known = code in places.others or code in places.villages
    return code if known else Bad("division-unknown", {"code": parts[0]})


def _counties(of: Field, raw: Any, places: Places) -> tuple[int, ...] | Bad:
    """Counties by name or by code (12 digits, or the first 6)."""
    known = set(places.counties.values())
    found: dict[int, None] = {}
    for part in _parts(raw):
        code = int(part.ljust(12, "0")) if part.isascii() and part.isdigit() and len(part) in (6, 12) else None
        code = code if code in known else places.counties.get(part)
        if code is None:
            return Bad("county-unknown", {"name": part})
        found[code] = None
    return tuple(found)


_SPECIAL: dict[str, Callable[[Field, Any, Places], Any]] = {
    "skills": _skills,
    "possible_roles": _choices,
    "dialects": _dialects,
    "home_village": _home,
    "avoid_villages": _avoided,
    "unit_division": _unit_division,
    "wished_counties": _counties,
}


# --- what can only be judged together ---------------------------------------------------------------------------------


def _together(facts: Mapping[str, Any]) -> list[Problem]:
    found = [Problem(field_of(name).header, "missing") for name in REQUIRED if not facts.get(name)]
    number, sex = facts.get("id_number"), facts.get("sex")
    parsed = id_number.parse(number) if number else None
    if parsed and sex and parsed.sex != sex:
        found.append(Problem(field_of("sex").header, "id-sex", {"expected": parsed.sex}))
    first, last = facts.get("available_from"), facts.get("available_to")
    if first and last and last < first:
        found.append(Problem(field_of("available_to").header, "period"))
    return found
