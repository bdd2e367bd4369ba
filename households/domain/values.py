"""One converter for every cell of a card: from what people write to a typed value, or the check it fails.

Tolerated, because real workbooks hold them: blanks around a value (ideographic ones too), full-width figures,
thousands separators, units after a figure, dotted dates, x for X, 无 and dashes for empty (except where 无 is an
allowed value), old names of a value. Refused, because the truth is lost: a long number stored as a figure (Excel keeps
15 digits), a date written as a figure with one decimal (2019.1 is January or October), an Excel error.
Empty is None (an empty tuple for a list), never zero.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

from households.domain import id_number
from households.domain.fields import Field

Value: TypeAlias = str | int | bool | Decimal | date | datetime | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Bad:
    """The cell fails a check: "number-form", "value-list" or "text-long"."""

    check_id: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


class MonthOnly(date):
    """The first day of a month where the cell named no day."""


EMPTY_WORDS = frozenset(
    {"", "无", "空", "暂无", "没有", "—", "——", "-", "--", "---", "/", "\\", "N/A", "NULL", "NONE", "."}
)
EXCEL_ERRORS = frozenset(
    {
        "#NULL!",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NAME?",
        "#NUM!",
        "#N/A",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#BLANK!",
    }
)
_LONGEST_WORD = max(map(len, EMPTY_WORDS | EXCEL_ERRORS))
# Excel keeps 15 significant digits: a longer number stored as a figure has lost its end.
EXACT_FIGURES = 10**15

# What else people write for an allowed value. 五保户 is today called 特困户.
SYNONYMS = {
    "特困户": "五保户",
    "特困供养户": "五保户",
    "特困人员": "五保户",
    "五保贫困户": "五保户",
    "男性": "男",
    "女性": "女",
    "身份证": "居民身份证",
    "A": "A级",
    "B": "B级",
    "C": "C级",
    "D": "D级",
    "1级": "一级",
    "2级": "二级",
    "3级": "三级",
    "4级": "四级",
    "文盲": "文盲或半文盲",
    "文盲、半文盲": "文盲或半文盲",
    "本科": "本科及以上",
    "弱劳动力": "弱劳动力或半劳动力",
    "半劳动力": "弱劳动力或半劳动力",
    "患大病": "患有大病",
    "大病": "患有大病",
    "党员": "中共党员",
    "缺劳动力": "缺劳力",
}
_YES = frozenset({"是", "√", "✓", "✔", "Y", "YES", "TRUE"})
_NO = frozenset({"否", "×", "✗", "✘", "N", "NO", "FALSE"})
_UNITS = {
    "yuan/year": ("元/年", "元"),
    "yuan": ("元",),
    "mu": ("亩",),
    "head": ("头", "只", "羽"),
    "km": ("公里", "千米", "km", "KM"),
    "m2": ("平方米", "平米", "m2", "M2", "㎡"),
    "months": ("个月", "月"),
    "persons": ("人",),
}
# Longest text of a field; the columns of the database are as wide (a test compares).
DEFAULT_LENGTH = 200
LENGTHS = {
    ("household", "number"): 40,
    ("household", "group"): 40,
    ("household", "bank"): 100,
    ("household", "helper_name"): 60,
    ("person", "number"): 40,
    ("person", "name"): 60,
    ("sheet", "request"): 1000,
}

_PLAIN_FIGURE = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{3})+(\.\d*)?)")
_EXPONENT = re.compile(r"[+-]?\d+(\.\d+)?E\+?\d+", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:年|[-/.])(\d{1,2})(?:月|[-/.]|$)(?:(\d{1,2})日?)?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_HAN_GAP = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_SPLIT = re.compile(r"[、,;/|\s]+")
_LONG_NUMBER = re.compile(r"\d{7,}[Xx]?")
_MASK = re.compile(r"[0-9-]{0,4}\*{1,32}[0-9A-Z]{0,4}")
MASKED = "masked"  # the kind of a "number-form" whose cell holds a mask
_FIRST_YEAR, _LAST_YEAR = 1850, 2100
_LAST_SERIAL = 73_050  # 2099-12-31
SHIFT_1904 = 1462


def plain(raw: Any) -> str:
    """Text of a cell: half width, no control characters, no blanks around, inner blanks single."""
    text = raw if isinstance(raw, str) else str(raw)
    if " " not in text and text.isprintable() and (text.isascii() or unicodedata.is_normalized("NFKC", text)):
        return text
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u200b", "").replace("\ufeff", "")
    if not text.isprintable():
        text = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(text.split())


def masked(of: Field, raw: Any) -> str:
    """What a message may quote of a cell: long numbers lose their middle, a personal field all but its ends."""
    text = plain(raw)[:60]
    if of.is_personal and len(text) > 4:
        return text[:2] + "*" * (len(text) - 4) + text[-2:]
    return _LONG_NUMBER.sub(lambda found: found[0][:2] + "*" * (len(found[0]) - 4) + found[0][-2:], text)


def parse(of: Field, raw: Any, *, serial_shift: int = 0) -> Value | Bad:
    """The typed value of a cell of field `of`, or what is wrong with it.

    `raw` is what a form or a workbook gives: text, int, float, bool, date, datetime, Decimal or None.
    `serial_shift` is SHIFT_1904 for workbooks that count days from 1904.
    """
    if raw is None:
        return () if of.type == "enum list" else None
    if (isinstance(raw, float) and not isfinite(raw)) or (isinstance(raw, Decimal) and not raw.is_finite()):
        return Bad("number-form", {"kind": "error"})
    if isinstance(raw, str):
        text = plain(raw)
        if len(text) <= _LONGEST_WORD:
            word = text.upper()
            if word in EMPTY_WORDS and text not in of.values:
                return () if of.type == "enum list" else None
            if word in EXCEL_ERRORS:
                return Bad("number-form", {"kind": "error"})
        raw = text
    return _PARSERS[of.type](of, raw, serial_shift)


def parser(of: Field, *, serial_shift: int = 0) -> Callable[[Any], Value | Bad]:
    """`parse` for one column of a sheet: what people choose from a list or count repeats from row to row, and is read
    once. Numbers of people and free text are read each time, and are not kept.
    """
    if of.type in _SELDOM_REPEATED:
        return partial(parse, of, serial_shift=serial_shift)
    known: dict[tuple[type, Any], Value | Bad] = {}

    def remembered(raw: Any) -> Value | Bad:
        key = raw.__class__, raw  # 1, 1.0 and True are equal and mean different things
        value = known.get(key, _UNREAD)
        if value is _UNREAD:
            value = parse(of, raw, serial_shift=serial_shift)
            if len(known) < _REMEMBERED:
                known[key] = value
        return value  # type: ignore[return-value]

    return remembered


_UNREAD = object()
_REMEMBERED = 5000
_SELDOM_REPEATED = frozenset({"text", "id", "certificate", "phone", "account"})


# -- text and numbers of people ------------------------------------------------------------------------------------


def _digits(raw: Any) -> str | Bad:
    """A number that names something (not a quantity) as text; lost digits are found."""
    if isinstance(raw, (bool, date, time)):
        return Bad("number-form", {"kind": "text"})
    if isinstance(raw, (int, float, Decimal)):
        if not -EXACT_FIGURES < raw < EXACT_FIGURES:
            return Bad("number-form", {"kind": "lost-digits"})
        return str(int(raw)) if raw == int(raw) else str(raw)
    if _EXPONENT.fullmatch(raw):
        return Bad("number-form", {"kind": "lost-digits"})
    return str(raw)


def _text(of: Field, raw: Any, shift: int) -> Value | Bad:
    if isinstance(raw, (datetime, date)):
        raw = raw.isoformat(sep=" ") if isinstance(raw, datetime) else raw.isoformat()
    text = _digits(raw)
    if isinstance(text, Bad):
        return text
    if " " in text:  # 张 三 is 张三; a name in two scripts keeps its blank
        text = _HAN_GAP.sub("", text)
    longest = LENGTHS.get((of.entity, of.attribute), DEFAULT_LENGTH)
    return text if len(text) <= longest else Bad("text-long", {"limit": longest})


def _id(of: Field, raw: Any, shift: int) -> Value | Bad:
    text = _digits(raw)
    return text if isinstance(text, Bad) else _open_number(id_number.normalise(text).lstrip("'"))


def _phone(of: Field, raw: Any, shift: int) -> Value | Bad:
    text = _digits(raw)
    if isinstance(text, Bad):
        return text
    text = text.replace(" ", "").removeprefix("+86")
    return _open_number(text)


def _account(of: Field, raw: Any, shift: int) -> Value | Bad:
    text = _digits(raw)
    return text if isinstance(text, Bad) else _open_number(text.replace(" ", ""))


def _open_number(text: str) -> str | Bad:
    """A mask (4307**********6431) is no number; a workbook may say with it "as it is kept" (domain.card_update)."""
    return Bad("number-form", {"kind": MASKED, "text": text}) if _MASK.fullmatch(text) else _short(text)


def _short(text: str) -> str | Bad:
    return text if len(text) <= 40 else Bad("text-long", {"limit": 40})


def _code12(of: Field, raw: Any, shift: int) -> Value | Bad:
    text = _digits(raw)
    if isinstance(text, Bad):
        return text
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else Bad("number-form", {"kind": "code"})


# -- lists -------------------------------------------------------------------------------------------------------------


def _allowed(of: Field, text: str) -> str | None:
    """The allowed value that `text` means, else None. Values in the list may hold full-width marks."""
    if text in of.values:
        return text
    meant = SYNONYMS.get(text)
    if meant in of.values:
        return meant
    if of.attribute == "ethnicity" and text + "族" in of.values:
        return text + "族"
    compact = text.replace(" ", "").upper()
    return next((value for value in of.values if plain(value).replace(" ", "").upper() == compact), None)


def _enum(of: Field, raw: Any, shift: int) -> Value | Bad:
    value = _allowed(of, plain(raw))
    return value if value is not None else Bad("value-list", {"allowed": list(of.values)})


def _enum_list(of: Field, raw: Any, shift: int) -> Value | Bad:
    parts = [plain(part) for part in raw] if isinstance(raw, (list, tuple)) else _SPLIT.split(plain(raw))
    found: dict[str, None] = {}
    for part in parts:
        if part:
            value = _allowed(of, part)
            if value is None:
                return Bad("value-list", {"allowed": list(of.values)})
            found[value] = None
    return tuple(found)


def _yes_no(of: Field, raw: Any, shift: int) -> Value | Bad:
    if isinstance(raw, bool):
        return raw
    text = plain(raw).upper()
    if text in _YES:
        return True
    return False if text in _NO else Bad("value-list", {"allowed": ["是", "否"]})


# -- figures -----------------------------------------------------------------------------------------------------------


def _figure(of: Field, raw: Any) -> Decimal | Bad:
    if isinstance(raw, (bool, date, time)):
        return Bad("number-form", {"kind": "figure"})
    if isinstance(raw, (int, float, Decimal)):
        return Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    text = str(raw).lstrip("¥").strip()
    for unit in _UNITS.get(of.unit, ()):
        text = text.removesuffix(unit)
    text = text.strip()
    if not text.isascii() or not _PLAIN_FIGURE.fullmatch(text):
        return Bad("number-form", {"kind": "figure"})
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return Bad("number-form", {"kind": "figure"})


def _rounded(of: Field, raw: Any, whole_digits: int) -> Value | Bad:
    """Two decimal places, half up: what is checked is what is stored."""
    figure = _figure(of, raw)
    if isinstance(figure, Bad):
        return figure
    if abs(figure) >= 10**whole_digits:
        return Bad("number-form", {"kind": "large"})
    return figure.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _money(of: Field, raw: Any, shift: int) -> Value | Bad:
    return _rounded(of, raw, 12)


def _decimal(of: Field, raw: Any, shift: int) -> Value | Bad:
    figure = _rounded(of, raw, 8)
    # A negative area has a check of its own; a negative distance is no distance.
    if isinstance(figure, Decimal) and figure < 0 and of.unit == "km":
        return Bad("number-form", {"kind": "negative"})
    return figure


def _integer(of: Field, raw: Any, shift: int) -> Value | Bad:
    figure = _figure(of, raw)
    if isinstance(figure, Bad):
        return figure
    if figure != figure.to_integral_value():
        return Bad("number-form", {"kind": "whole"})
    if figure < 0:
        return Bad("number-form", {"kind": "negative"})
    return int(figure) if figure < 2**31 else Bad("number-form", {"kind": "large"})


def _year(of: Field, raw: Any, shift: int) -> Value | Bad:
    text = str(raw).removesuffix("年度").removesuffix("年").strip() if isinstance(raw, str) else raw
    figure = _figure(of, text)
    if isinstance(figure, Bad) or figure != figure.to_integral_value() or not 1949 <= figure <= _LAST_YEAR:
        return Bad("number-form", {"kind": "year"})
    return int(figure)


# -- dates -------------------------------------------------------------------------------------------------------------


def _serial(days: float, shift: int) -> datetime:
    """Excel's day count: 1 is 1900-01-01, and 60 is a 29 February 1900 that never was."""
    days += shift
    start = datetime(1899, 12, 30) if days >= 60 else datetime(1899, 12, 31)
    return (start + timedelta(seconds=round(days * 86400))).replace(microsecond=0)


def _real(year: int, month: int, day: int | None) -> date | Bad:
    try:
        found = MonthOnly(year, month, 1) if day is None else date(year, month, day)
    except ValueError:
        return Bad("number-form", {"kind": "date"})
    return found if _FIRST_YEAR <= year <= _LAST_YEAR else Bad("number-form", {"kind": "date"})


def _date_of_figure(figure: float, shift: int) -> date | Bad:
    """19720907, 1972.09 or a serial number. One decimal (1972.1) is January or October: refused."""
    if _FIRST_YEAR * 10_000 < figure < (_LAST_YEAR + 1) * 10_000 and figure == int(figure):
        whole = int(figure)
        return _real(whole // 10_000, whole // 100 % 100, whole % 100)
    if _FIRST_YEAR <= figure <= _LAST_YEAR:
        hundredths = round(figure * 100)
        if hundredths % 10 == 0 or abs(figure * 100 - hundredths) > 1e-6:
            return Bad("number-form", {"kind": "date"})
        return _real(hundredths // 100, hundredths % 100, None)
    if 1 <= figure <= _LAST_SERIAL:
        return _serial(figure, shift).date()
    return Bad("number-form", {"kind": "date"})


def _date(of: Field, raw: Any, shift: int) -> Value | Bad:
    if isinstance(raw, datetime):
        raw = raw.date()
    if isinstance(raw, date):
        return raw if _FIRST_YEAR <= raw.year <= _LAST_YEAR else Bad("number-form", {"kind": "date"})
    if isinstance(raw, bool):
        return Bad("number-form", {"kind": "date"})
    if isinstance(raw, (int, float, Decimal)):
        return _date_of_figure(float(raw), shift)
    day = _split_time(str(raw))[0]
    if day.isascii() and day.isdigit() and len(day) in (6, 8):
        return _real(int(day[:4]), int(day[4:6]), int(day[6:]) if len(day) == 8 else None)
    found = _DATE.fullmatch(day.replace(" ", ""))
    if found is None:
        return Bad("number-form", {"kind": "date"})
    return _real(int(found[1]), int(found[2]), int(found[3]) if found[3] else None)


def _split_time(text: str) -> tuple[str, str]:
    """2019-10-21 10:01 and 2019-10-21T10:01:00 in two parts."""
    for mark in ("T", " "):
        day, found, hour = text.partition(mark)
        if found and ":" in hour:
            return day.strip(), hour.strip().removesuffix("Z")
    return text, ""


def _datetime(of: Field, raw: Any, shift: int) -> Value | Bad:
    """Local time without zone; a date alone is its first minute."""
    if isinstance(raw, datetime):
        return raw.replace(tzinfo=None, microsecond=0)
    if isinstance(raw, (int, float, Decimal)) and not isinstance(raw, bool) and _LAST_YEAR < raw <= _LAST_SERIAL:
        return _serial(float(raw), shift)
    day = _date(of, raw, shift)
    if isinstance(day, Bad) or not isinstance(day, date) or isinstance(day, MonthOnly):
        return Bad("number-form", {"kind": "date"})
    hour = _split_time(raw)[1] if isinstance(raw, str) else ""
    if not hour:
        return datetime.combine(day, time())
    found = _TIME.fullmatch(hour)
    try:
        clock = time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
    except ValueError:
        clock = None
    return Bad("number-form", {"kind": "date"}) if clock is None else datetime.combine(day, clock)


_PARSERS: dict[str, Callable[[Field, Any, int], Value | Bad]] = {
    "text": _text,
    "id": _id,
    "certificate": _id,
    "phone": _phone,
    "account": _account,
    "code12": _code12,
    "enum": _enum,
    "enum list": _enum_list,
    "yes/no": _yes_no,
    "money": _money,
    "decimal": _decimal,
    "integer": _integer,
    "year": _year,
    "date": _date,
    "datetime": _datetime,
}
