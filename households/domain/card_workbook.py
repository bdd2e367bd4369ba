"""A workbook of cards: which rows make one household, and each row as typed facts with its problems.

Sheet 户信息 has a row a household, 人信息 a row a member. A member's row joins by household number, else by the head's
ID number; a household row with neither waits (nothing is matched by emptiness). Problems are told by sheet, row, column
header and check id, with the value as written, masked where it is personal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from households.domain import fields, id_number, values
from households.domain.card import Card, Finding, Member, household_from, member_from, sheet_from
from households.domain.checks import RED, WAIT, Context, run
from households.domain.fields import HOUSEHOLD_SHEET, MEMBER_SHEET, Field
from households.domain.workbook import (
    HEADER_WITHIN,
    REASON_HEADER,
    Layout,
    Page,
    ReadLimits,
    Row,
    Workbook,
    near_to,
    open_workbook,
)

LAYOUTS = (
    Layout(
        HOUSEHOLD_SHEET,
        partial(fields.by_header, HOUSEHOLD_SHEET),
        needed=(("户编号", "户主证件号码"), ("行政村编码", "行政村"), ("年度",)),
        joins=("户编号", "户主证件号码"),
    ),
    Layout(
        MEMBER_SHEET,
        partial(fields.by_header, MEMBER_SHEET),
        needed=(("户编号", "户主证件号码"), ("姓名",), ("证件号码",), ("与户主关系",)),
        joins=("户编号", "户主证件号码"),
    ),
)
_ENTITIES = {sheet: tuple({of.entity for of in fields.of_sheet(sheet)}) for sheet in (HOUSEHOLD_SHEET, MEMBER_SHEET)}
_NOT_WHOLE = frozenset({"household-row-missing", "household-no-key"})
EXAMPLE = "示例"  # a household number that begins so is the template's example, and read by nobody
_NUMBER, _HEAD = "number", "head_id_number"
_MEMBER_ENTITIES = ("person", "membership", "member_sheet")
_HOUSEHOLD_ENTITIES = ("sheet", "household", "")


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding with its place in the workbook. `raw` is what stands there, masked."""

    check_id: str
    severity: str
    sheet: str
    row: int
    column: str
    raw: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """The rows of one household by their positions; `household` is empty where members have no household row."""

    number: str | None = None
    head: str | None = None
    household: list[int] = field(default_factory=list)
    members: list[int] = field(default_factory=list)

    @property
    def has_key(self) -> bool:
        return self.number is not None or self.head is not None


@dataclass(frozen=True, slots=True)
class ReadCard:
    """One household as read: the typed card, what is wrong with its cells, and the rows it came from."""

    number: str | None
    card: Card
    findings: tuple[Finding, ...]
    household_row: Row | None
    member_rows: tuple[Row, ...]

    def judge(self, context: Context | None = None) -> list[Finding]:
        """Everything found: the cells, the grouping, and the checks of the typed card.

        A check that looks first at a cell that could not be read adds nothing. Rows that make no whole card (members
        without a household, a household that nobody can join) are not checked as one.
        """
        if any(finding.check_id in _NOT_WHOLE for finding in self.findings):
            return list(self.findings)
        unread = {(finding.member, finding.attributes[0]) for finding in self.findings}
        checked = (finding for finding in run(self.card, context))
        return [*self.findings, *(each for each in checked if (each.member, each.attributes[0]) not in unread)]


def _field_of(sheet: str, entities: tuple[str, ...], attribute: str) -> Field | None:
    return next(
        (of for of in fields.of_sheet(sheet) if of.attribute == attribute and of.entity in entities),
        next((of for of in fields.of_sheet(sheet) if of.attribute == attribute), None),
    )


class CardBook:
    """An opened workbook of cards; use as a context manager."""

    def __init__(self, book: Workbook[Field], groups: Sequence[Group] | None = None):
        """`groups` where they are known: a process that reads ahead has them from the one that opened the workbook."""
        self._book = book
        self._shift = values.SHIFT_1904 if book.date1904 else 0
        # Of each sheet: (position, entity, attribute, what an empty cell means, how the column is read).
        self._columns = {
            sheet: [
                (index, of.entity, of.attribute, values.parse(of, None), values.parser(of, serial_shift=self._shift))
                for of, index in table.columns.items()
            ]
            for sheet, table in book.tables.items()
        }
        self.groups: list[Group] = list(groups or ())
        self.members = 0
        if groups is None:
            self._group()

    def __enter__(self) -> "CardBook":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._book.__exit__(kind, error, at)

    @property
    def book(self) -> Workbook[Field]:
        return self._book

    @property
    def unknown_columns(self) -> dict[str, tuple[str, ...]]:
        """Headers nobody knows, by sheet: their columns are not read."""
        return {sheet: table.unknown for sheet, table in self._book.tables.items() if table.unknown}

    @property
    def attributes(self) -> frozenset[tuple[str, str]]:
        """(entity, attribute) of the columns the workbook has; the others are untouched by an update."""
        return frozenset(
            (of.entity, of.attribute) for table in self._book.tables.values() for of in table.columns if of.entity
        )

    # -- grouping ------------------------------------------------------------------------------------------------------

    def _keys(self, sheet: str) -> Iterator[tuple[Row, str | None, str | None]]:
        table = self._book.tables[sheet]
        columns = {of.attribute: (of, index) for of, index in table.columns.items() if _joins(of)}
        number_key, head_key = (_Key(columns.get(name)) for name in (_NUMBER, _HEAD))
        last: tuple[str | None, str | None] = None, None
        for row in self._book.rows(sheet):
            number, head = number_key.of(row), head_key.of(row)
            if number is not None and number.startswith(EXAMPLE):
                continue
            if table.shared:  # merged cells: only the first row of a household names it
                number, head = last = (number, head) if number or head else last
            yield row, number, head

    def _group(self) -> None:
        by_number: dict[str, Group] = {}
        by_head: dict[str, Group] = {}
        one_sheet = self._book.tables[HOUSEHOLD_SHEET].shared
        for row, number, head in self._keys(HOUSEHOLD_SHEET):
            group = by_number.get(number) if number else by_head.get(head) if head else None
            if group is None:
                group = Group(number, head)
                self.groups.append(group)
                if number:
                    by_number[number] = group
                if head:
                    by_head.setdefault(head, group)
            elif one_sheet:
                continue  # a further member of the same household
            group.household.append(row.position)
        nobodys: Group | None = None
        for row, number, head in self._keys(MEMBER_SHEET):
            self.members += 1
            group = (by_number.get(number) if number else None) or (by_head.get(head) if head else None)
            if group is None and not number and not head:
                group = nobodys
            if group is None:
                group = Group(number, head)
                self.groups.append(group)
                if number:
                    by_number[number] = group
                elif head:
                    by_head[head] = group
                else:
                    nobodys = group
            group.members.append(row.position)

    # -- reading -------------------------------------------------------------------------------------------------------

    def read(self, group: Group) -> ReadCard:
        """The typed card of a household with the findings of its cells and of its grouping."""
        findings: list[Finding] = []
        household_rows = [self._book.row_at(position) for position in group.household]
        member_rows = tuple(self._book.row_at(position) for position in group.members)
        household_row = household_rows[0] if household_rows else None
        facts: dict[str, dict[str, Any]] = {}
        if household_row is not None:
            facts = self._facts(HOUSEHOLD_SHEET, household_row, None, findings)
        if len(household_rows) > 1:
            findings.append(Finding("household-twice", RED, None, (_NUMBER,), {"row": household_rows[1].number}))
        if household_row is None:
            findings += [Finding("household-row-missing", RED, index, (_NUMBER,)) for index in range(len(member_rows))]
        elif not group.has_key:
            findings.append(Finding("household-no-key", WAIT, None, (_NUMBER,)))
        members = tuple(self._member(row, index, findings) for index, row in enumerate(member_rows))
        card = Card(
            household_from({**facts.get("", {}), **facts.get("household", {})}),
            sheet_from(facts.get("sheet", {})),
            members,
        )
        return ReadCard(group.number, card, tuple(findings), household_row, member_rows)

    def _member(self, row: Row, index: int, findings: list[Finding]) -> Member:
        facts = self._facts(MEMBER_SHEET, row, index, findings)
        return member_from(
            {name: value for entity in _MEMBER_ENTITIES for name, value in facts.get(entity, {}).items()}
        )

    def _facts(self, sheet: str, row: Row, member: int | None, findings: list[Finding]) -> dict[str, dict[str, Any]]:
        """Typed values by entity and attribute; a cell that does not parse is left out and becomes a finding."""
        facts: dict[str, dict[str, Any]] = {"": {}, **{entity: {} for entity in _ENTITIES[sheet]}}
        cells = row.cells
        filled = len(cells)
        for index, entity, attribute, empty, read in self._columns[sheet]:
            cell = cells[index] if index < filled else None
            value = empty if cell is None else read(cell)
            if value.__class__ is values.Bad:
                findings.append(Finding(value.check_id, RED, member, (attribute,), value.parameters))
            else:
                facts[entity][attribute] = value
        return facts

    def locate(self, card: ReadCard, finding: Finding) -> Problem:
        """Sheet, row and column of a finding: the first of its attributes is the cell to look at."""
        if finding.member is not None:
            sheet, row, entities = MEMBER_SHEET, card.member_rows[finding.member], _MEMBER_ENTITIES
        elif card.household_row is not None:
            sheet, row, entities = HOUSEHOLD_SHEET, card.household_row, _HOUSEHOLD_ENTITIES
        else:
            sheet, row, entities = MEMBER_SHEET, card.member_rows[0], _MEMBER_ENTITIES
        of = _field_of(sheet, entities, finding.attributes[0])
        index = self._book.tables[sheet].columns.get(of) if of is not None else None
        raw = None if index is None else row.cell(index)
        return Problem(
            finding.check_id,
            finding.severity,
            sheet,
            row.number,
            of.header if of is not None else "",
            values.masked(of, raw) if of is not None and raw is not None else "",
            finding.parameters,
        )

    def places(self) -> Iterator[list[tuple[str, int]]]:
        """For each group the (sheet, row number) of its rows."""
        for group in self.groups:
            yield [
                (sheet, self._book.row_at(position).number)
                for sheet, positions in ((HOUSEHOLD_SHEET, group.household), (MEMBER_SHEET, group.members))
                for position in positions
            ]

    # -- giving back ---------------------------------------------------------------------------------------------------

    def pages(self, reasons: Mapping[int, Mapping[str, Mapping[int, str]]]) -> list[Page]:
        """The rows of the groups in `reasons` (by index into `groups`) as they came, with a last column of reasons.

        `reasons[group][sheet][row number]` is the text for that row; a row without a text comes back beside the one
        that was refused, so that the household can be imported again as a whole.
        """
        return [self._page(sheet, reasons) for sheet in (HOUSEHOLD_SHEET, MEMBER_SHEET)]

    def _page(self, sheet: str, reasons: Mapping[int, Mapping[str, Mapping[int, str]]]) -> Page:
        table = self._book.tables[sheet]
        kept = [index for index in table.kept if table.headers[index] != REASON_HEADER]
        headers = [table.headers[index] for index in kept]

        def rows() -> Iterator[list[Any]]:
            for index, texts in reasons.items():
                group = self.groups[index]
                for position in group.household if sheet == HOUSEHOLD_SHEET else group.members:
                    row = self._book.row_at(position)
                    yield [row.cell(at) for at in kept] + [texts.get(sheet, {}).get(row.number)]

        return Page(sheet, [*headers, REASON_HEADER], rows())


class _Key:
    """A column that joins rows. Members of one household stand one below the other: what repeats is read once."""

    def __init__(self, column: tuple[Field, int] | None):
        self._column = column
        self._raw: Any = None
        self._value: str | None = None

    def of(self, row: Row) -> str | None:
        if self._column is None:
            return None
        of, index = self._column
        raw = row.cell(index)
        if raw != self._raw or raw.__class__ is not self._raw.__class__:
            self._raw, self._value = raw, self._read(of, raw)
        return self._value

    @staticmethod
    def _read(of: Field, raw: Any) -> str | None:
        value = values.parse(of, raw)
        if isinstance(value, values.Bad) and value.parameters.get("kind") == values.MASKED:
            return str(value.parameters["text"])  # joins rows of one workbook, never a card that is kept
        if not isinstance(value, str):
            return None
        number = id_number.parse(value) if of.type == "id" else None
        return number.number if number else value


def _joins(of: Field) -> bool:
    """Columns that tell which household a row belongs to."""
    return of.attribute == _HEAD or (of.attribute == _NUMBER and of.entity != "person")


def open_cards(source: Path | BinaryIO, limits: ReadLimits | None = None) -> CardBook:
    """Open a workbook of cards; raises WorkbookRefused."""
    book = open_workbook(source, LAYOUTS, limits, text=True)
    try:
        return CardBook(book)
    except BaseException:
        book.__exit__(None, None, None)
        raise


def glance_at_cards(source: BinaryIO, limits: ReadLimits | None = None) -> dict[str, Any]:
    """What a file is, within seconds; raises WorkbookRefused.

    {"tables": [{"sheet", "named" (the file's own name), "header_row", "columns" (known ones), "rows" (below the
    header, None where uncounted), "unknown": [{"column", "near" (a header it may mean, or "")}]}],
    "encoding" (of CSV, else "")}
    """
    with open_workbook(source, LAYOUTS, limits, head=HEADER_WITHIN, text=True) as book:
        return {
            "tables": [
                {
                    "sheet": sheet,
                    "named": table.named,
                    "header_row": table.header.number,
                    "columns": len(table.columns),
                    "rows": _below(book.counted.get(sheet), table.above),
                    "unknown": [
                        {"column": text[:60], "near": next(iter(near_to(text, _missing(sheet, table.columns))), "")}
                        for text in table.unknown[:50]
                    ],
                }
                for sheet, table in book.tables.items()
            ],
            "encoding": book.encoding,
        }


def _below(counted: int | None, above: int) -> int | None:
    return None if counted is None else max(0, counted - above)


def _missing(sheet: str, columns: Mapping[Field, int]) -> list[str]:
    return [of.header for of in fields.of_sheet(sheet) if of not in columns]
