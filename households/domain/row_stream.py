"""Reads the rows of an .xlsx workbook as a stream. Run as a program of its own, in a child process with limits.

Standard library only: `python -I row_stream.py '{"limits": {...}, "only": [sheet, ...]}'` with the workbook as standard
input (a seekable file) writes one JSON value a line to standard output:

    {"sheets": [name, ...], "date1904": bool}
    {"sheet": name}                 a sheet begins
    [row number, [value, ...]]      a row that holds something: text, number, true/false or null
    {"end": true}                   everything was read
    {"refused": code, ...}          the file is not taken; nothing follows

With "head": n only the first n rows of each sheet are read, and {"sheet": name, "rows": n or null} tells how many it
holds: a glance that takes seconds.

Memory stays flat: a sheet is never held, only its shared texts, and these are limited. Sizes are counted as bytes come
out of the decompressor; what the archive claims about itself is not believed.
"""

import codecs
import contextlib
import json
import re
import resource
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Collection
from typing import Any, BinaryIO
from xml.parsers import expat

CHUNK = 1 << 16
LONGEST_TEXT = 32_767  # Excel's own limit of a cell
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
COUNTED = 200 << 20  # bytes of a sheet that a glance counts
EXCEL_ROWS, EXCEL_COLUMNS = 1_048_576, 16_384


class Refused(Exception):
    """The file is not taken. `code` is stable; `facts` fill the message."""

    def __init__(self, code: str, **facts: Any):
        super().__init__(code)
        self.code, self.facts = code, facts


class Budget:
    """What may come out of the archive in all: bytes, and how many times more than went in."""

    def __init__(self, inflated: int, ratio: int, ratio_from: int):
        self.left, self.ratio, self.ratio_from = inflated, ratio, ratio_from

    def take(self, out: int, of_member: int, packed: int) -> None:
        self.left -= out
        if self.left < 0:
            raise Refused("workbook-too-large")
        if of_member > self.ratio_from and of_member > self.ratio * max(packed, 1):
            raise Refused("workbook-bomb")


def column_of(reference: str) -> int:
    """Zero-based column of a cell reference: A1 is 0, XFD1 is 16383; -1 when there is none."""
    column = 0
    for mark in reference:
        if not "A" <= mark <= "Z":
            break
        column = column * 26 + ord(mark) - 64
    return column - 1


def row_of(reference: str) -> int:
    return int("".join(mark for mark in reference if mark.isdigit()) or 0)


class Book:
    """An opened archive whose members are read through the budget."""

    def __init__(self, file: BinaryIO, limits: dict[str, int]):
        self.limits = limits
        start = file.read(8)
        if start == OLE_SIGNATURE:
            raise Refused(_ole_kind(start + file.read(1 << 20)))
        if start[:4] != b"PK\x03\x04":
            raise Refused("workbook-not-xlsx")
        file.seek(0)
        try:
            self.archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise Refused("workbook-broken") from error
        members = self.archive.infolist()
        names = [member.filename for member in members]
        if len(names) > limits["members"] or len(set(names)) != len(names):
            raise Refused("workbook-bomb")
        if any(member.flag_bits & 1 for member in members):
            raise Refused("workbook-encrypted")
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise Refused("workbook-macros")
        self.members = {name.lstrip("/"): member for name, member in zip(names, members, strict=True)}
        self.budget = Budget(limits["inflated"], limits["ratio"], limits["ratio_from"])

    def parse(self, name: str, handler: "Handler") -> None:
        """Feed a member to an expat parser whose events go to `handler`."""
        member = self.members.get(name)
        if member is None:
            raise Refused("workbook-broken")
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.StartElementHandler = handler.start
        parser.EndElementHandler = handler.end
        parser.CharacterDataHandler = handler.text
        seen = 0
        try:
            with self.archive.open(member) as stream:
                while chunk := stream.read(CHUNK):
                    seen += len(chunk)
                    self.budget.take(len(chunk), seen, member.compress_size)
                    parser.Parse(chunk, False)
                parser.Parse(b"", True)
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise Refused("workbook-broken") from error

    def read_rows(self, name: str, texts: list[str], emit: Callable[[int, list[Any]], None]) -> None:
        """Hand the rows of a sheet to `emit`: by patterns while it is written plainly, from there on by events."""
        plain, left = PlainRows(texts, self.limits, emit), self.budget.left
        try:
            self._parse_plain(name, plain)
        except _NotPlain:
            self.budget.left = left
            self.parse(name, Rows(texts, self.limits, emit, begin=plain.rows))

    def _parse_plain(self, name: str, plain: "PlainRows") -> None:
        """Expat sees every byte before the patterns do: what is not well formed is refused, what hides text is not
        plain."""
        member = self.members.get(name)
        if member is None:
            raise Refused("workbook-broken")
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.CommentHandler = parser.ProcessingInstructionHandler = _not_plain
        parser.StartCdataSectionHandler = parser.XmlDeclHandler = plain.declared
        seen = 0
        try:
            with self.archive.open(member) as stream:
                while chunk := stream.read(CHUNK):
                    seen += len(chunk)
                    self.budget.take(len(chunk), seen, member.compress_size)
                    parser.Parse(chunk, False)
                    plain.feed(chunk)
                parser.Parse(b"", True)
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise Refused("workbook-broken") from error
        plain.close()

    def count_rows(self, name: str) -> int | None:
        """How many rows a sheet's member seems to hold; None for one so large that a glance has no time for it."""
        member = self.members.get(name)
        if member is None or member.file_size > COUNTED:
            return None
        counted, seen, rest = 0, 0, b""
        try:
            with self.archive.open(member) as stream:
                while chunk := stream.read(CHUNK):
                    seen += len(chunk)
                    self.budget.take(len(chunk), seen, member.compress_size)
                    text = rest + chunk
                    counted += text.count(b"<row ") + text.count(b"<row>")
                    rest = text[-4:]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise Refused("workbook-broken") from error
        return counted


def _ole_kind(start: bytes) -> str:
    """An OLE file is an encrypted .xlsx, or the old .xls; both name their streams in UTF-16."""
    return "workbook-encrypted" if "EncryptedPackage".encode("utf-16-le") in start else "workbook-old"


def _no_doctype(*_ignored: Any) -> None:
    raise Refused("workbook-bomb")


class _NotPlain(Exception):
    """A sheet that patterns do not read: prefixes, comments, CDATA, formulas, texts in several runs."""


def _not_plain(*_ignored: Any) -> None:
    raise _NotPlain


class Handler:
    """Expat events by local name."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, data: str) -> None: ...


class Listing(Handler):
    """xl/workbook.xml: sheets in order with their relation ids, and from which year days count."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.date1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            self.sheets.append((attributes.get("name", ""), relation))
        elif local == "workbookPr":
            self.date1904 = attributes.get("date1904", "0") in {"1", "true"}


class Relations(Handler):
    """A .rels member: id -> (kind, target)."""

    def __init__(self) -> None:
        self.targets: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name.endswith(" Relationship"):
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.targets[attributes.get("Id", "")] = kind, attributes.get("Target", "")


class SharedTexts(Handler):
    """xl/sharedStrings.xml: one text an <si>; readings of Chinese and Japanese (<rPh>) left out."""

    def __init__(self, most_characters: int) -> None:
        self.texts: list[str] = []
        self.left = most_characters
        self._parts: list[str] = []
        self._length = 0
        self._in_text = self._in_reading = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "si":
            self._parts, self._length = [], 0
        elif local == "t":
            self._in_text = not self._in_reading
        elif local == "rPh":
            self._in_reading = True

    def text(self, data: str) -> None:
        if self._in_text:
            self._length += len(data)
            if self._length > LONGEST_TEXT:
                raise Refused("workbook-bomb")
            self._parts.append(data)

    def end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local == "si":
            self.left -= self._length + 64
            if self.left < 0:
                raise Refused("workbook-too-large")
            self.texts.append("".join(self._parts))
        elif local == "t":
            self._in_text = False
        elif local == "rPh":
            self._in_reading = False


_LOCAL: dict[str, str] = {}
_COLUMNS: dict[str, int] = {}


def _local(name: str) -> str:
    """The name of an element without its namespace; a sheet has few names and millions of elements."""
    local = name.rpartition(" ")[2]
    if len(_LOCAL) < 1000:
        _LOCAL[name] = local
    return local


def _column(reference: str) -> int:
    """`column_of`, which a sheet asks for its few columns again in every row."""
    letters = reference.rstrip("0123456789")
    column = _COLUMNS.get(letters)
    if column is None:
        column = column_of(letters)
        if len(_COLUMNS) < 1000:
            _COLUMNS[letters] = column
    return column


class Rows(Handler):
    """xl/worksheets/sheetN.xml: hands each row that holds something to `emit`."""

    def __init__(
        self, texts: list[str], limits: dict[str, int], emit: Callable[[int, list[Any]], None], begin: int = 0
    ) -> None:
        self.texts, self.emit, self.begin = texts, emit, begin  # the first `begin` rows were handed on already
        self.most_rows, self.most_columns = limits["rows"], limits["columns"]
        self._row = self._rows = 0
        self._column = -1
        self._cells: list[Any] = []
        self._kind = ""
        self._parts: list[str] = []
        self._length = 0
        self._collecting = self._has_formula = self._in_reading = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _LOCAL.get(name) or _local(name)
        if local == "c":
            reference = attributes.get("r")
            self._column = _column(reference) if reference else self._column + 1
            self._kind = attributes.get("t", "n")
            self._parts, self._length, self._has_formula = [], 0, False
        elif local == "v" or local == "t":
            self._collecting = not self._in_reading
        elif local == "f":
            self._has_formula = True
        elif local == "row":
            number = attributes.get("r")
            self._row = int(number) if number and number.isdigit() else self._row + 1
            self._column, self._cells = -1, []
        elif local == "rPh":
            self._in_reading = True
        elif local == "dimension":
            self._declared(attributes.get("ref", ""))

    def _declared(self, reference: str) -> None:
        """Programs that hold a sheet allot what is declared here. We do not, but who declares this much means harm."""
        last = reference.rpartition(":")[2]
        if row_of(last) > self.most_rows and column_of(last) >= self.most_columns:
            raise Refused("workbook-dimensions", cell=last[:12])

    def text(self, data: str) -> None:
        if self._collecting:
            self._length += len(data)
            if self._length > LONGEST_TEXT:
                raise Refused("workbook-bomb")
            self._parts.append(data)

    def end(self, name: str) -> None:
        local = _LOCAL.get(name) or _local(name)
        if local == "v" or local == "t":
            self._collecting = False
        elif local == "c":
            self._place(self._value())
        elif local == "row":
            self._finish_row()
        elif local == "rPh":
            self._in_reading = False

    def _value(self) -> Any:
        text = "".join(self._parts)
        kind = self._kind
        if kind == "s":
            try:
                return self.texts[int(text)] if text else None
            except (ValueError, IndexError) as error:
                raise Refused("workbook-broken") from error
        if kind == "n":
            if not text:
                return "#CALC!" if self._has_formula else None
            try:
                return int(text) if text.lstrip("-").isdigit() and len(text) < 20 else float(text)
            except ValueError:
                return text
        if kind == "b":
            return text.strip() == "1"
        # inlineStr, str (result of a formula), e (error), d (ISO date)
        return text or None

    def _place(self, value: Any) -> None:
        if value is None or value == "":
            return
        column = self._column
        if not 0 <= column < self.most_columns:
            raise Refused("workbook-dimensions", cell=f"{column + 1}/{self._row}")
        cells = self._cells
        if column >= len(cells):
            cells.extend([None] * (column + 1 - len(cells)))
        cells[column] = value

    def _finish_row(self) -> None:
        if not self._cells:
            return
        self._rows += 1
        if self._rows > self.most_rows or self._row > EXCEL_ROWS:
            raise Refused("workbook-too-large")
        if self._rows > self.begin:
            self.emit(self._row, self._cells)
        self._cells = []


# A cell as Excel, WPS, LibreOffice, openpyxl and xlsxwriter write it: column, kind, value, text inside the cell.
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})[0-9]+"(?: s="[0-9]+")?(?: t="([a-zA-Z]+)")?'
    r"(?:/>|>(?:<v>([^<]*)</v>)?(?:<is><t(?: xml:space=\"preserve\")?>([^<]*)</t></is>)?</c>)"
)
_ROW = re.compile(r"\s*<row((?: [A-Za-z0-9:]+=\"[^\"<&]*\")*)\s*(/?)>")
_ROW_NUMBER = re.compile(r' r="([0-9]+)"')
_DIMENSION = re.compile(r'<dimension ref="([^"]*)"')
_ENTITY = re.compile("&(?:#([0-9]+)|#x([0-9A-Fa-f]+)|(lt|gt|amp|quot|apos));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ROW_END, _ROWS_BEGIN, _ROWS_END = "</row>", "<sheetData>", "</sheetData>"
_LONGEST_ROW = 4 << 20  # characters; a longer one is read by events, which hold one cell at a time


def _entity(found: re.Match[str]) -> str:
    decimal, sixteen, name = found.groups()
    return _NAMED[name] if name else chr(int(decimal) if decimal else int(sixteen, 16))


class PlainRows:
    """The rows of a sheet by patterns: several times as fast as an event for each element, and the same rows (a test
    compares). Raises _NotPlain at the first thing it does not know; `rows` have been handed on by then."""

    def __init__(self, texts: list[str], limits: dict[str, int], emit: Callable[[int, list[Any]], None]) -> None:
        self.texts, self.emit = texts, emit
        self.most_rows, self.most_columns = limits["rows"], limits["columns"]
        self.rows = self._row = 0
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._rest, self._inside, self._over = "", False, False

    def declared(self, *said: Any) -> None:
        """XML declaration (version, encoding, standalone), or the beginning of CDATA (nothing)."""
        if not said or (said[1] or "utf-8").lower() != "utf-8":
            raise _NotPlain

    def feed(self, chunk: bytes) -> None:
        try:
            text = self._rest + self._decode(chunk)
        except UnicodeDecodeError as error:  # a byte order mark of UTF-16
            raise _NotPlain from error
        if "\r" in text:  # XML reads a line end of two characters as one
            raise _NotPlain
        if self._over:
            self._end(text)
        elif not self._inside:
            text = self._begin(text)
        if self._inside:
            text = self._take(text)
        self._rest = text[-64:] if self._over else text
        if len(self._rest) > _LONGEST_ROW:
            raise _NotPlain

    def close(self) -> None:
        if not self._over:
            raise _NotPlain

    def _begin(self, text: str) -> str:
        """What stands before the rows; a sheet without rows, or with prefixed names, is left to the events."""
        head, found, rest = text.partition(_ROWS_BEGIN)
        if not found:
            return text
        if "<row" in head or "<c " in head:
            raise _NotPlain
        if dimension := _DIMENSION.search(head):
            last = dimension[1].rpartition(":")[2]
            if row_of(last) > self.most_rows and column_of(last) >= self.most_columns:
                raise Refused("workbook-dimensions", cell=last[:12])
        self._inside = True
        return rest

    def _take(self, text: str) -> str:
        """Hand on the whole rows of the text; returns what stands after them."""
        at = 0
        while True:
            begun = _ROW.match(text, at)
            if begun is None:
                rest = text[at:].lstrip()
                if rest.startswith(_ROWS_END):
                    self._inside, self._over = False, True
                    self._end(rest[len(_ROWS_END) :])
                    return rest
                if len(rest) < 2048 or rest.find(">") < 0:
                    return rest  # the rest of the row comes with the next bytes
                raise _NotPlain
            number = _ROW_NUMBER.search(begun[1])
            row = int(number[1]) if number else self._row + 1
            if begun[2]:
                self._row, at = row, begun.end()
                continue
            end = text.find(_ROW_END, begun.end())
            if end < 0:
                return text[at:]
            self._row = row
            self._cells(text[begun.end() : end])
            at = end + len(_ROW_END)

    def _end(self, text: str) -> None:
        if "<row" in text or "<sheetData" in text or "<c " in text:
            raise _NotPlain

    def _cells(self, text: str) -> None:
        parts = _CELL.split(text)
        if any(parts[::5]):
            raise _NotPlain
        long, columns = len(text) > LONGEST_TEXT, _COLUMNS
        cells: list[Any] = []
        filled = 0
        for letters, kind, value, inner in zip(parts[1::5], parts[2::5], parts[3::5], parts[4::5], strict=True):
            content = (value or "") + inner if inner else value
            if not content:
                if kind != "b":
                    continue
                content = ""
            if "&" in content:
                content = _ENTITY.sub(_entity, content)
            if long and len(content) > LONGEST_TEXT:
                raise Refused("workbook-bomb")
            cell = content if kind == "inlineStr" else self._value(kind, content)
            if cell is None or cell == "":
                continue
            column = columns.get(letters)
            if column is None:
                column = _column(letters)
            if column == filled:
                cells.append(cell)
                filled += 1
            elif column > filled:
                cells.extend([None] * (column - filled))
                cells.append(cell)
                filled = column + 1
            else:
                cells[column] = cell
        if filled > self.most_columns:
            raise Refused("workbook-dimensions", cell=f"{filled}/{self._row}")
        if not cells:
            return
        if self.rows >= self.most_rows or self._row > EXCEL_ROWS:
            raise Refused("workbook-too-large")
        self.rows += 1
        self.emit(self._row, cells)

    def _value(self, kind: str | None, text: str) -> Any:
        if kind is None or kind == "n":
            try:
                return int(text) if text.lstrip("-").isdigit() and len(text) < 20 else float(text)
            except ValueError:
                return text
        if kind == "s":
            try:
                return self.texts[int(text)]
            except (ValueError, IndexError) as error:
                raise Refused("workbook-broken") from error
        return text.strip() == "1" if kind == "b" else text


def _target(folder: str, target: str) -> str:
    """Path of a relation's target inside the archive."""
    path = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}" if folder else target
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def plain_name(name: str) -> str:
    """Sheet names compare in half width without blanks."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def stream(
    file: BinaryIO, limits: dict[str, int], only: Collection[str], write: Callable[[Any], None], head: int = 0
) -> None:
    """Write the names of all sheets and the rows of those in `only` (plain names; the first `head`); raises Refused.

    With nothing in `only` the file is glanced at: its kind and its sheets, no row.
    """
    book = Book(file, limits)
    roots = Relations()
    book.parse("_rels/.rels", roots)
    root = next((target for kind, target in roots.targets.values() if kind == "officeDocument"), "xl/workbook.xml")
    main = _target("", root)
    if main.endswith(".bin"):
        raise Refused("workbook-binary")
    listing, relations = Listing(), Relations()
    book.parse(main, listing)
    if not only:
        write({"sheets": [name for name, _relation in listing.sheets], "date1904": listing.date1904})
        return
    folder, _, leaf = main.rpartition("/")
    book.parse(f"{folder}/_rels/{leaf}.rels" if folder else f"_rels/{leaf}.rels", relations)
    texts = [_target(folder, target) for kind, target in relations.targets.values() if kind == "sharedStrings"]
    sheets = [
        (name, _target(folder, relations.targets[relation][1]))
        for name, relation in listing.sheets
        if relations.targets.get(relation, ("", ""))[0] == "worksheet" and plain_name(name) in only
    ]
    if head:
        write({"sheets": [name for name, _relation in listing.sheets], "date1904": listing.date1904})
        _heads(book, sheets, texts, head, write)
        return
    shared = SharedTexts(limits["characters"])
    for member in texts:
        book.parse(member, shared)
    write({"sheets": [name for name, _relation in listing.sheets], "date1904": listing.date1904})
    for name, member in sheets:
        write({"sheet": plain_name(name)})
        book.read_rows(member, shared.texts, lambda row, cells: write([row, cells]))
    write({"end": True})


class _Enough(Exception):
    """The first rows were read."""


class _Places(list[Any]):
    """Stands for the shared texts while they are not read: a text is its place."""

    def __getitem__(self, place: Any) -> Any:
        return ("shared", place)


class _FirstTexts(SharedTexts):
    def __init__(self, most_characters: int, last: int) -> None:
        super().__init__(most_characters)
        self.last = last

    def end(self, name: str) -> None:
        super().end(name)
        if len(self.texts) > self.last:
            raise _Enough


def _heads(
    book: Book, sheets: list[tuple[str, str]], texts: list[str], head: int, write: Callable[[Any], None]
) -> None:
    """The first rows of each sheet, then only as many shared texts as they name."""
    firsts: list[tuple[str, str, list[tuple[int, list[Any]]]]] = []
    for name, member in sheets:
        rows: list[tuple[int, list[Any]]] = []

        def emit(number: int, cells: list[Any], rows: list[tuple[int, list[Any]]] = rows) -> None:
            rows.append((number, cells))
            if len(rows) >= head:
                raise _Enough

        with contextlib.suppress(_Enough):
            book.parse(member, Rows(_Places(), book.limits, emit))
        firsts.append((name, member, rows))
    places = [cell[1] for _n, _m, rows in firsts for _row, cells in rows for cell in cells if isinstance(cell, tuple)]
    shared = _FirstTexts(book.limits["characters"], max(places, default=-1))
    if places:
        with contextlib.suppress(_Enough):
            for member in texts:
                book.parse(member, shared)
    if max(places, default=-1) >= len(shared.texts):
        raise Refused("workbook-broken")
    for name, member, rows in firsts:
        write({"sheet": plain_name(name)})
        for number, cells in rows:
            write([number, [shared.texts[each[1]] if isinstance(each, tuple) else each for each in cells]])
        write({"sheet": plain_name(name), "rows": book.count_rows(member)})
    write({"end": True})


def main(limits: dict[str, int], only: Collection[str], head: int = 0) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits["output"]),
    ):
        resource.setrlimit(kind, (most, most))
    out = sys.stdout
    encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode

    def write(value: Any) -> None:
        out.write(encode(value))
        out.write("\n")

    try:
        stream(sys.stdin.buffer, limits, only, write, head)
    except Refused as refused:
        write({"refused": refused.code, **refused.facts})
    except MemoryError:
        write({"refused": "workbook-too-large"})
    out.flush()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
