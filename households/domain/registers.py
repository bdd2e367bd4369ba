"""Department registers: what their tables look like, and how a table is read row by row.

A layout is data (reference/register_columns.csv): each column's header, what else departments call it, its type, and
whether it is kept sealed because it names a person or a thing (number, plate, place, company). Tables come as .xlsx or
CSV through the same guarded reader as cards (domain: workbook): any sheet, header row by itself, columns in any order.
Layouts and the rules that read them: docs/registers.md.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from households.domain import id_number
from households.domain.fields import Field, normalise_header
from households.domain.values import SHIFT_1904, Bad, parser
from households.domain.workbook import (
    HEADER_WITHIN,
    REASON_HEADER,
    Layout,
    Page,
    ReadLimits,
    Row,
    Workbook,
    WorkbookRefused,
    open_workbook,
    sheet_names,
)

# register -> its name, and the office that usually keeps it
REGISTERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "vehicle": ("车辆登记", "车管所"),
        "real_estate": ("不动产登记", "不动产登记中心"),
        "public_payroll": ("财政供养人员", "财政局"),
        "company": ("市场主体登记", "市场监管局"),
        "death": ("死亡人口", "公安局"),
        "medical": ("医保结算", "医保局"),
        "school": ("学籍", "教育局"),
        "disability": ("残疾登记", "残联"),
        "dibao": ("低保登记", "民政局"),
        "insurance": ("社会保险", "社保中心"),
    }
)
MOST_SHEETS = 20
_NUMBERS = ("number", "certificate")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a register. `sealed`: encrypted in every entry, shown to nobody but who opens the entry."""

    of: Field
    synonyms: tuple[str, ...]
    required: bool
    sealed: bool

    @property
    def name(self) -> str:
        return self.of.attribute


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is refused: code and parameters of its message (messages), and the header of its column."""

    code: str
    column: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that was taken: the 18-character number, what rules read, and what stays sealed."""

    number: str
    facts: Mapping[str, Any]
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as read: an entry, or the reasons why it is none."""

    row: Row
    entry: Entry | None
    problems: tuple[Problem, ...] = ()


@cache
def layout(register: str) -> tuple[Column, ...]:
    """The columns of a register in their usual order. KeyError for what is no register."""
    REGISTERS[register]
    with (files("households") / "reference/register_columns.csv").open(encoding="utf-8") as lines:
        return tuple(_column(row) for row in csv.DictReader(lines) if row["register"] == register)


def _column(row: Mapping[str, str]) -> Column:
    of = Field(
        sheet=row["register"],
        entity="register",
        attribute=row["attribute"],
        national_code="",
        header=row["header"],
        english=row["attribute"],
        type=row["type"],
        unit=row["unit"],
        values=(),
        note=row["note"],
    )
    synonyms = tuple(row["synonyms"].split("|")) if row["synonyms"] else ()
    return Column(of, synonyms, row["required"] == "yes", row["sealed"] == "yes")


@cache
def _by_header(register: str) -> Mapping[str, Column]:
    return MappingProxyType(
        {normalise_header(text): each for each in layout(register) for text in (each.of.header, *each.synonyms)}
    )


def _layout_of(register: str, sheet: str) -> Layout[Column]:
    by_header = _by_header(register)
    numbers = tuple(each.of.header for each in layout(register) if each.name in _NUMBERS)
    others = tuple((each.of.header,) for each in layout(register) if each.required and each.name not in _NUMBERS)
    return Layout(sheet, lambda text: by_header.get(normalise_header(text)), (numbers, *others))


# -- reading -----------------------------------------------------------------------------------------------------------


class RegisterTable:
    """An opened register; use as a context manager."""

    def __init__(self, register: str, book: Workbook[Column]):
        self.register, self.book = register, book
        ((self.sheet, self.table),) = book.tables.items()

    def __enter__(self) -> "RegisterTable":
        return self

    def __exit__(self, *error: Any) -> None:
        self.book.__exit__(*error)

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Headers nobody knows; they are named and not read."""
        return self.table.unknown

    @property
    def quantity(self) -> int:
        """Rows below the header that hold something; reads the table once."""
        return sum(1 for _row in self.book.rows(self.sheet))

    def rows(self, as_of: date) -> Iterator[ReadRow]:
        """Every row below the header. A date after `as_of` (the day the register speaks of) refuses its row."""
        read = reader(self.register, self.table.columns, as_of, SHIFT_1904 if self.book.date1904 else 0)
        return map(read, self.book.rows(self.sheet))

    def returned(self, reasons: Mapping[int, str]) -> Page:
        """The rows with a reason (by row number) as they came, with the reasons in a last column."""
        headers = self.table.headers
        kept = [index for index, text in enumerate(headers) if text != REASON_HEADER]
        return Page(
            REGISTERS[self.register][0],
            [*(headers[index] for index in kept), REASON_HEADER],
            (
                [*(row.cell(index) for index in kept), reasons[row.number]]
                for row in self.book.rows(self.sheet)
                if row.number in reasons
            ),
        )


def open_register(source: Path | BinaryIO, register: str, limits: ReadLimits | None = None) -> RegisterTable:
    """Open a register's table: of an .xlsx the first sheet whose headers fit, else CSV; raises WorkbookRefused."""
    name = REGISTERS[register][0]
    sheet = _sheet(source, register, limits) or name
    return RegisterTable(register, open_workbook(source, [_layout_of(register, sheet)], limits, text=True))


def _sheet(source: Path | BinaryIO, register: str, limits: ReadLimits | None) -> str:
    """The sheet to read, empty for CSV. Of several the first whose headers fit; none fits: why the first does not."""
    names = sheet_names(source, limits)[:MOST_SHEETS]
    if len(names) < 2:
        return names[0] if names else ""
    refused: list[WorkbookRefused] = []
    for name in names:
        try:
            open_workbook(source, [_layout_of(register, name)], limits, head=HEADER_WITHIN).__exit__(None, None, None)
        except WorkbookRefused as error:
            if error.code not in ("header-missing", "columns-missing"):
                raise
            refused.append(error)
        else:
            return name
    raise next((each for each in refused if each.code == "columns-missing"), refused[0])


def glance(source: BinaryIO, register: str, limits: ReadLimits) -> None:
    """Whether a file can be a register's table, within seconds; raises WorkbookRefused."""
    sheet = _sheet(source, register, limits) or REGISTERS[register][0]
    source.seek(0)
    open_workbook(source, [_layout_of(register, sheet)], limits, head=HEADER_WITHIN, text=True).__exit__(
        None, None, None
    )


def reader(
    register: str, columns: Mapping[Column, int], as_of: date, serial_shift: int = 0
) -> Callable[[Row], ReadRow]:
    """What reads a row whose columns stand where `columns` says."""
    cells = [
        (each, columns[each], parser(each.of, serial_shift=serial_shift))
        for each in layout(register)
        if each in columns
    ]
    return partial(_read, cells=cells, as_of=as_of)


def _read(row: Row, cells: Sequence[tuple[Column, int, Any]], as_of: date) -> ReadRow:
    problems: list[Problem] = []
    read: dict[str, Any] = {}
    for column, index, parse in cells:
        value = parse(row.cell(index))
        header = column.of.header
        if isinstance(value, Bad):
            problems.append(Problem(value.check_id, header, value.parameters))
        elif value is None:
            if column.required:
                problems.append(Problem("cell-missing", header))
        elif isinstance(value, date) and value > as_of:
            problems.append(Problem("date-after", header, {"as_of": as_of.isoformat()}))
        elif not column.sealed and isinstance(value, str) and id_number.long_number(value):
            # What is not sealed must hold no number of anybody: a column was mistaken for another.
            problems.append(Problem("register-long-number", header))
        elif isinstance(value, Decimal) and value < 0:
            problems.append(Problem("number-form", header, {"kind": "negative"}))
        else:
            read[column.name] = value
    number, wrong = _number(read)
    if wrong is not None and not problems:
        problems.append(wrong)
    if problems or number is None:
        return ReadRow(row, None, tuple(problems))
    columns = [column for column, _index, _parse in cells if column.name in read and column.name not in _NUMBERS]
    return ReadRow(
        row,
        Entry(
            number,
            {each.name: _as_json(read[each.name]) for each in columns if not each.sealed},
            {each.name: str(read[each.name]) for each in columns if each.sealed},
        ),
    )


def _number(read: Mapping[str, Any]) -> tuple[str | None, Problem | None]:
    """The 18-character number of a row: its own, or the one inside a disability certificate."""
    written, certificate = read.get("number"), read.get("certificate")
    inside = None
    if certificate is not None:
        parsed = id_number.parse_certificate(certificate)
        if parsed is None:
            return None, Problem("register-certificate", "残疾证号")
        inside = parsed.id_number
    if written is None:
        return inside, None if inside else Problem("cell-missing", "证件号码")
    wrong = id_number.check(written)
    if wrong is not None:
        code = "id-length" if wrong == "id-length" else "register-number"
        return None, Problem(code, "证件号码", {"length": len(written)})
    number = id_number.to_18(written) if len(written) == 15 else written
    if inside is not None and inside != number:
        return None, Problem("register-certificate-differs", "残疾证号")
    return number, None


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value.isoformat() if isinstance(value, date) else value


def template_page(register: str) -> Page:
    """The layout as an empty table to fill in, with one made-up row."""
    example = _EXAMPLES[register]
    columns = layout(register)
    return Page(
        REGISTERS[register][0],
        [each.of.header for each in columns],
        [[example.get(each.name) for each in columns]],
    )


# A number of nobody: the area code 000000 was never given.
_NOBODY = "000000197001010019"
_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "vehicle": {
        "number": _NOBODY, "plate": "湘J00000", "vehicle_type": "小型轿车", "use": "非营运",
        "registered_on": "2018-03-11", "price": 90000,
    },
    "real_estate": {
        "number": _NOBODY, "place": "某区某路1号", "use": "商品住宅", "area": 84, "registered_on": "2017-06-02",
    },
    "public_payroll": {"number": _NOBODY, "unit": "某县某局", "duty": "科员"},
    "company": {
        "number": _NOBODY, "company_name": "某商贸有限公司", "form": "有限责任公司", "capital": 500000, "state": "存续",
    },
    "death": {"number": _NOBODY, "died_on": "2019-05-21"},
    "medical": {"number": _NOBODY, "total_cost": 18000, "own_cost": 8000},
    "school": {"number": _NOBODY, "school": "某村学校", "stage": "小学", "state": "在读"},
    "disability": {
        "number": _NOBODY, "certificate": _NOBODY + "42", "category": "肢体", "grade": "二级", "state": "有效",
    },
    "dibao": {"number": _NOBODY, "amount": 300, "state": "在享"},
    "insurance": {"number": _NOBODY, "scheme": "职工基本养老保险", "wage_base": 4000, "state": "正常缴费"},
}  # fmt: skip
