"""Workbooks in and out, safely.

In: a child process with limits on memory, CPU and time turns the .xlsx into lines (domain: row_stream) in an unnamed
temporary file; this module finds the header row of each sheet and gives rows in order or by position, so that a file
of any size is read with flat memory. Nothing is taken before the whole file was read to its end.
Out: rows with a column of reasons, written so that no cell can become a formula and long numbers stay text.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Generic, TypeVar

import xlsxwriter

from households.domain import row_stream, table_stream

_READER = Path(row_stream.__file__)
_TABLE_READER = Path(table_stream.__file__)
HEADER_WITHIN = 20
MEGABYTE = 1 << 20
_BLOCK, _LINE = MEGABYTE, 4096  # bytes of the spool read at once: rows in order, a row by its position
REASON_HEADER = "退回原因"

Column = TypeVar("Column")


class WorkbookRefused(Exception):
    """The workbook as a whole is not taken. `code` is stable; `facts` fill the message.

    Codes: workbook-not-xlsx, workbook-old, workbook-binary, workbook-encrypted, workbook-macros, workbook-broken,
    workbook-bomb, workbook-too-large, workbook-dimensions, workbook-slow, sheet-missing, header-missing,
    columns-missing, column-twice, zip-names, zip-members, zip-empty, table-missing.
    """

    def __init__(self, code: str, **facts: Any):
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What a workbook may cost. Defaults let 400 MB of honest XML pass (about 60,000 households)."""

    file: int = 200 * MEGABYTE  # bytes of the file
    inflated: int = 800 * MEGABYTE  # bytes out of the decompressor, all members
    ratio: int = 150  # times a member may grow, once it is longer than ratio_from
    ratio_from: int = 8 * MEGABYTE
    members: int = 1000
    rows: int = 600_000  # rows of a sheet that hold something
    columns: int = 512
    characters: int = 150_000_000  # shared texts
    memory: int = 1024 * MEGABYTE  # address space of the child
    seconds: int = 300  # CPU of the child; twice that on the clock
    output: int = 2048 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Layout(Generic[Column]):
    """A sheet to read: its name, how a header is recognised, and what cannot be missed.

    Each entry of `needed` lists headers of which one must be there. Where several layouts share one sheet, a column
    belongs to one of them, but for `joins`.
    """

    sheet: str
    lookup: Callable[[str], Column | None]
    needed: tuple[tuple[str, ...], ...] = ()
    joins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row that holds something; `number` counts from 1 as Excel shows it. `position` finds it again."""

    number: int
    cells: list[Any]
    position: int

    def cell(self, index: int) -> Any:
        return self.cells[index] if index < len(self.cells) else None


@dataclass(slots=True)
class Table(Generic[Column]):
    """A sheet after its header row: where each known column stands, and which headers nobody knows."""

    sheet: str
    header: Row
    columns: dict[Column, int]
    unknown: tuple[str, ...]
    first: int = 0
    last: int = 0
    headers: tuple[str, ...] = field(default=())
    named: str = ""
    above: int = 0  # rows that hold something, down to the header
    shared: bool = False  # one sheet holds this table and another

    @property
    def kept(self) -> list[int]:
        """The columns that are given back: all, or its own where tables share a sheet."""
        return sorted(self.columns.values()) if self.shared else list(range(len(self.headers)))


def _read(line: bytes) -> tuple[int, list[Any]]:
    """A row of the spool. The readers write ASCII: the encoding of bytes would be looked for in every line."""
    number, cells = json.loads(line.decode("ascii"))
    return number, cells


class Workbook(Generic[Column]):
    """An opened workbook; use as a context manager, the spool ends with it."""

    def __init__(self, spool: IO[bytes], sheets: Sequence[str], date1904: bool):
        spool.flush()
        self._spool, self.sheets, self.date1904 = spool, tuple(sheets), date1904
        self.tables: dict[str, Table[Column]] = {}
        self.encoding = ""
        self.counted: dict[str, int | None] = {}

    def __enter__(self) -> "Workbook[Column]":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._spool.close()

    def rows(self, sheet: str) -> Iterator[Row]:
        """The rows below the header, in the order of the file."""
        table = self.tables[sheet]
        position, rest, descriptor = table.first, b"", self.descriptor
        read = table.first
        while read < table.last:
            block = os.pread(descriptor, min(_BLOCK, table.last - read), read)
            if not block:
                return
            read += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                number, cells = _read(line)
                yield Row(number, cells, position)
                position += len(line) + 1

    def row_at(self, position: int) -> Row:
        """A row again, by its position."""
        return self._line_at(position)[0]

    def _line_at(self, position: int) -> tuple[Row, int]:
        """A row and where the next one begins. Reads without moving the spool: a reader ahead shares its descriptor."""
        line, size = b"", _LINE
        while b"\n" not in line:
            block = os.pread(self.descriptor, size, position + len(line))
            if not block:
                raise ValueError(f"no row at {position}")
            line, size = line + block, _BLOCK
        line = line[: line.index(b"\n")]
        number, cells = _read(line)
        return Row(number, cells, position), position + len(line) + 1

    @property
    def descriptor(self) -> int:
        """The spool, for a process that reads beside this one."""
        return self._spool.fileno()


def open_workbook(
    source: Path | BinaryIO,
    layouts: Sequence[Layout[Column]],
    limits: ReadLimits | None = None,
    *,
    head: int = 0,
    text: bool = False,
) -> Workbook[Column]:
    """Read the sheets of `layouts` from an .xlsx; raises WorkbookRefused.

    With `text` a CSV file or a zip of CSV files is taken too. With `head` only the first rows are read, and `counted`
    says how many each sheet holds.
    The caller closes the result.
    """
    limits = limits or ReadLimits()
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - belongs to the Workbook, which closes it
    try:
        with source.open("rb") if isinstance(source, Path) else _on_disk(source) as file:
            is_text = text and _is_text(file)
            _run_reader(file, () if is_text else layouts, limits, spool, _TABLE_READER if is_text else _READER, head)
        return _of_tables(spool, layouts) if is_text else _indexed(spool, layouts)
    except BaseException:
        spool.close()
        raise


def sheet_names(source: Path | BinaryIO, limits: ReadLimits | None = None) -> tuple[str, ...]:
    """The sheets of an .xlsx in their order, none for text; raises WorkbookRefused. No row is read."""
    with source.open("rb") if isinstance(source, Path) else _on_disk(source) as file, tempfile.TemporaryFile() as spool:
        if _is_text(file):
            return ()
        _run_reader(file, (), limits or ReadLimits(), spool)
        return tuple(_start(spool)["sheets"])


def _is_text(file: IO[bytes]) -> bool:
    """Neither an .xlsx nor an OLE file: then CSV, alone or in a zip. Only a small directory of a zip is looked at."""
    file.seek(0)
    start = file.read(8)
    if start == row_stream.OLE_SIGNATURE or not start:
        return False
    if start[:4] != b"PK\x03\x04":
        return True
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16)))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        return False
    members, directory = int.from_bytes(tail[end + 10 : end + 12], "little"), tail[end + 12 : end + 16]
    if members > 1000 or int.from_bytes(directory, "little") > MEGABYTE:
        return False
    file.seek(0)
    try:
        names = [name.lower() for name in zipfile.ZipFile(file).namelist()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return "[content_types].xml" not in names and not any(name.startswith(("xl/", "_rels/")) for name in names)


def _on_disk(source: BinaryIO) -> IO[bytes]:
    """An upload in memory has no descriptor the child could read."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    source.seek(0)
    shutil.copyfileobj(source, file)
    file.flush()
    return file


def _run_reader(
    file: IO[bytes],
    layouts: Sequence[Layout[Any]],
    limits: ReadLimits,
    spool: IO[bytes],
    reader: Path = _READER,
    head: int = 0,
) -> None:
    size = file.seek(0, os.SEEK_END)
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    if size == 0:
        raise WorkbookRefused("workbook-not-xlsx")
    if size > limits.file:
        raise WorkbookRefused("workbook-too-large")
    orders: dict[str, Any] = {"limits": asdict(limits), "head": head}
    if reader is _READER:
        orders["only"] = [row_stream.plain_name(layout.sheet) for layout in layouts]
    try:
        child = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, *(("-I",) if reader is _READER else ("-E", "-s")), str(reader), json.dumps(orders)],
            stdin=file,
            stdout=spool,
            stderr=subprocess.DEVNULL,
            timeout=2 * limits.seconds,
            env={"PYTHONIOENCODING": "utf-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkbookRefused("workbook-slow") from error
    # A child that died by a signal ran into a limit; one that ended with an error could not read the file.
    if child.returncode < 0:
        raise WorkbookRefused("workbook-too-large")
    if child.returncode > 0:
        raise WorkbookRefused("workbook-broken")


def _indexed(spool: IO[bytes], layouts: Sequence[Layout[Column]]) -> Workbook[Column]:
    """Find sheets, header rows and the end; the row lines themselves are read later."""
    start = _start(spool)
    book: Workbook[Column] = Workbook(spool, start["sheets"], start["date1904"])
    wanted = {row_stream.plain_name(layout.sheet): layout for layout in layouts}
    spans = _spans(spool, book.counted)
    missing = [layout.sheet for name, layout in wanted.items() if name not in spans]
    if missing:
        raise WorkbookRefused("sheet-missing", sheet=missing[0], found=list(book.sheets)[:20])
    for name, layout in wanted.items():
        book.tables[layout.sheet] = _table(book, layout, *spans[name])
        book.counted[layout.sheet] = book.counted.get(name)
    return book


def _of_tables(spool: IO[bytes], layouts: Sequence[Layout[Column]]) -> Workbook[Column]:
    """CSV files: each layout takes the file that fits it best; a single file may hold all of them side by side."""
    start = _start(spool)
    book: Workbook[Column] = Workbook(spool, start["sheets"], False)
    book.encoding = "、".join(sorted({_ENCODINGS.get(each, each) for each in start["encodings"].values()}))
    spans = _spans(spool, book.counted)
    if len(spans) == 1:
        ((name, span),) = spans.items()
        for number, layout in enumerate(layouts):
            table = _table(book, layout, *span, shared=number)
            joins = {layout.lookup(header) for header in layout.joins}
            taken = {index for each in book.tables.values() for index in each.columns.values()}
            own = {of: index for of, index in table.columns.items() if of in joins or index not in taken}
            book.tables[layout.sheet] = replace(table, columns=own, named=name, shared=True)
            book.counted[layout.sheet] = book.counted.get(name)
        nobodys = set.intersection(*(set(table.unknown) for table in book.tables.values()))
        for table in book.tables.values():
            table.unknown = tuple(text for text in table.unknown if text in nobodys)
        return book
    left = dict(spans)
    for layout in layouts:
        if not left:
            raise WorkbookRefused("table-missing", sheet=layout.sheet, found=list(spans)[:20])
        name = max(left, key=lambda name: _fit(book, layout, *left[name]))
        book.tables[layout.sheet] = replace(_table(book, layout, *left.pop(name)), named=name)
        book.counted[layout.sheet] = book.counted.get(name)
    return book


_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030（GBK）"}


def _fit(book: Workbook[Column], layout: Layout[Column], first: int, last: int) -> tuple[int, int]:
    """How well a table fits a layout: needed headers that are there, known headers."""
    found = _header(book, layout, first, last)
    if found is None:
        return 0, 0
    known = {layout.lookup(cell) for cell in found[0].cells if isinstance(cell, str)} - {None}
    needed = sum(any(layout.lookup(choice) in known for choice in choices) for choices in layout.needed)
    return needed, len(known)


def _start(spool: IO[bytes]) -> dict[str, Any]:
    """The first line: the sheets of the workbook, or why it is not taken."""
    spool.seek(0)
    start: dict[str, Any] = json.loads(spool.readline() or "{}")
    if "refused" in start:
        raise WorkbookRefused(start.pop("refused"), **start)
    if "sheets" not in start:
        raise WorkbookRefused("workbook-broken")
    return start


def _spans(spool: IO[bytes], counted: dict[str, int | None]) -> dict[str, tuple[int, int]]:
    """Where the rows of each sheet begin and end in the spool. A row's line begins with a bracket.

    A line that tells how many rows a sheet holds goes into `counted`.
    """
    spans: dict[str, tuple[int, int]] = {}
    sheet, begin, position = "", spool.tell(), spool.tell()
    for line in spool:
        if line[:1] == b"{":
            if sheet and sheet not in spans:
                spans[sheet] = begin, position
            told = json.loads(line)
            if "rows" in told:
                counted[told["sheet"]] = told["rows"]
                sheet = ""
                position += len(line)
                continue
            if "refused" in told:
                raise WorkbookRefused(told.pop("refused"), **told)
            if "end" in told:
                return spans
            sheet, begin = told["sheet"], position + len(line)
        position += len(line)
    raise WorkbookRefused("workbook-broken")


def _header(book: Workbook[Column], layout: Layout[Column], first: int, last: int) -> tuple[Row, int, int] | None:
    """The row with the most known headers among the first rows, at least two; where its successor begins; its count."""
    best: tuple[int, Row, int, int] | None = None
    for count, (row, after) in enumerate(_first_rows(book, first, last), 1):
        known = sum(layout.lookup(cell) is not None for cell in row.cells if isinstance(cell, str))
        if known >= 2 and (best is None or known > best[0]):
            best = known, row, after, count
    return best[1:] if best else None


def _table(
    book: Workbook[Column], layout: Layout[Column], first: int, last: int, shared: int | None = None
) -> Table[Column]:
    """A sheet behind its header row. `shared` is the layout's place where several share one sheet: a header of two of
    them that stands there twice belongs to the first in its first column, to the second in its second."""
    found = _header(book, layout, first, last)
    if found is None:
        raise WorkbookRefused("header-missing", sheet=layout.sheet, rows=HEADER_WITHIN)
    header, after, above = found
    columns: dict[Column, int] = {}
    unknown = []
    headers = tuple("" if cell is None else str(cell).strip() for cell in header.cells)
    for index, text in enumerate(headers):
        column = layout.lookup(text) if text else None
        if column is None:
            if text and text != REASON_HEADER:
                unknown.append(text)
        elif column not in columns or shared:
            columns[column] = index
        elif shared is None:
            raise WorkbookRefused("column-twice", sheet=layout.sheet, column=text)
    missing = [
        choices[0]
        for choices in layout.needed
        if not any((column := layout.lookup(choice)) is not None and column in columns for choice in choices)
    ]
    if missing:
        near = {name: likely[0] for name in missing if (likely := near_to(name, unknown))}
        raise WorkbookRefused("columns-missing", sheet=layout.sheet, columns=missing, near=near)
    return Table(layout.sheet, header, columns, tuple(unknown), after, last, headers, above=above)


def near_to(header: str, others: Collection[str]) -> list[str]:
    """Headers that may mean the same, the likeliest first."""
    return get_close_matches(header, list(others), n=2, cutoff=0.5)


def _first_rows(book: Workbook[Column], position: int, last: int) -> Iterator[tuple[Row, int]]:
    """Each with where its successor begins."""
    for _count in range(HEADER_WITHIN):
        if position >= last:
            return
        row, position = book._line_at(position)
        yield row, position


# -- out ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """A sheet to write: headers and rows; a cell that starts with = stays text.

    `mark` is printed at head and foot of every page of paper (a watermark: who, when, why). `widths` of the first
    columns, in characters; the others take theirs from the header.
    """

    sheet: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Any]]
    allowed: Mapping[int, Sequence[str]] = field(default_factory=dict)
    mark: str = ""
    widths: Sequence[int] = ()


def write(target: Path | BinaryIO, pages: Sequence[Page]) -> None:
    """Write a workbook of text and numbers. A number too long for Excel's 15 digits is written as text."""
    book = xlsxwriter.Workbook(
        target,
        {
            "constant_memory": True,
            "in_memory": False,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    header_format = book.add_format({"bold": True, "bg_color": "#e6f2f0", "border": 1, "text_wrap": True})
    text_format = book.add_format({"num_format": "@", "quote_prefix": True})
    for page in pages:
        sheet = book.add_worksheet(page.sheet)
        sheet.freeze_panes(1, 0)
        if page.mark:
            # & begins a code of Excel's, and a head or foot holds 255 characters.
            mark = page.mark.replace("&", "&&")[:220].rstrip("&")
            sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
            sheet.repeat_rows(0)
            sheet.set_header(f"&L{mark}")
            sheet.set_footer(f"&L{mark}&R&P / &N")
        for column, text in enumerate(page.headers):
            width = page.widths[column] if column < len(page.widths) else max(10, min(30, 2 * len(text) + 2))
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, text, header_format)
        for column, values in page.allowed.items():
            if len(",".join(values)) <= 255:
                sheet.data_validation(1, column, 10_000, column, {"validate": "list", "source": list(values)})
        for number, row in enumerate(page.rows, start=1):
            for column, value in enumerate(row):
                _write_cell(sheet, number, column, value, text_format)
    book.close()


def _write_cell(sheet: Any, row: int, column: int, value: Any, text_format: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_string(row, column, "是" if value else "否")
    elif isinstance(value, (int, float)) and abs(value) < 10**15:
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value), text_format)
