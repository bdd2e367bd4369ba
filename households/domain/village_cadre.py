"""What is said of a village cadre and of declared relatives: columns of the workbook, facts, numbers. Pure.

A row that repeats a cadre (the same village and number, else the same village and name) names one more relative.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from households.domain import id_number
from households.domain.fields import normalise_header
from households.domain.workbook import Layout

SHEET = "村干部"
# Header of the workbook -> attribute.
COLUMNS = {
    "村编码": "village",
    "村名": "village_name",
    "姓名": "name",
    "村内职务": "post",
    "证件号码": "number",
    "联系电话": "phone",
    "银行账号": "account",
    "任职起": "valid_from",
    "任职止": "valid_to",
    "与干部关系": "relation",
    "亲属姓名": "relative_name",
    "亲属证件号码": "relative_number",
}
NEEDED = ("村编码", "姓名", "村内职务")
_HEADERS = {normalise_header(header): attribute for header, attribute in COLUMNS.items()}
_PHONE = re.compile(r"1\d{10}|0\d{9,11}|[2-9]\d{6,7}")
_ACCOUNT = re.compile(r"\d{8,30}")
_EPOCH = date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class CadreFacts:
    """What is known of a cadre; of numbers None keeps what is stored."""

    name: str
    post: str
    number: str | None = None
    phone: str | None = None
    account: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class RelativeFacts:
    """A declared relative; `stored`: the row it is about, None for a new one; of the number None keeps."""

    relation: str
    name: str
    number: str | None = None
    stored: int | None = None


def by_header(text: str) -> str | None:
    return _HEADERS.get(normalise_header(text))


def layout() -> Layout[str]:
    return Layout(SHEET, by_header, needed=tuple((header,) for header in NEEDED))


def clean_number(text: str) -> str | None:
    """The 18-character number of a valid one, else None."""
    parsed = id_number.parse(id_number.normalise(text))
    return parsed.number if parsed else None


def clean_phone(text: str) -> str | None:
    plain = _plain(text).removeprefix("+86")
    return plain if _PHONE.fullmatch(plain) else None


def clean_account(text: str) -> str | None:
    plain = _plain(text)
    return plain if _ACCOUNT.fullmatch(plain) else None


def read_day(value: Any) -> date | None:
    """A day of a cell: a date, Excel's serial, 2019-03-01, 2019.3 or 2019年3月. Raises ValueError for anything else."""
    if value in (None, ""):
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, (int, float)) and 20_000 < value < 80_000:
        return _EPOCH + timedelta(days=int(value))
    parts = re.findall(r"\d+", str(value))
    if not 2 <= len(parts) <= 3 or len(parts[0]) != 4:
        raise ValueError(str(value))
    return date(int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) == 3 else 1)


def cell_text(value: Any) -> str:
    """A cell as text; a number that Excel holds as one loses its .0."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip().lstrip("'")


def row_facts(cells: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a row by attribute, days left out."""
    return {name: cell_text(value) for name, value in cells.items() if name not in ("valid_from", "valid_to")}


def _plain(text: str) -> str:
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text))
