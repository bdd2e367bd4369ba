"""Reads the rows of CSV files as a stream: one file, or several in a zip. Run as a program, in a child with limits.

Standard library only, like row_stream, whose lines it writes too: `python table_stream.py '{"limits": {...}}'` with the
file as standard input. The names of the tables are the names of the files. The first line also tells the encoding.

The encoding is found by reading: a byte order mark, else UTF-8, else GB18030 (what Excel and WPS save in China); a file
that is none of them is no text. The delimiter is the one of comma, semicolon and tab that splits the first rows most.
"""

import codecs
import csv
import io
import json
import posixpath
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

if __package__:
    from households.domain.row_stream import CHUNK, LONGEST_TEXT, Budget, Refused
else:
    from row_stream import CHUNK, LONGEST_TEXT, Budget, Refused  # type: ignore[import-not-found, no-redef]

DELIMITERS = ",;\t"
ENDINGS = (".csv", ".txt", ".tsv")
MOST_FILES = 20
ALONE = "CSV"  # the name of a file that came without a zip around it
_SNIFFED = 20
_EXCEL_TEXT = re.compile(r'="(.*)"')
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Bytes that no text holds: Excel's own formats and pictures begin with some of them.
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

Opened = Callable[[], BinaryIO]


def encoding_of(open_file: Opened) -> str:
    """The encoding of a file by its mark, else the first that reads the whole of it; raises Refused."""
    with open_file() as file:
        start = file.read(4)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        if _reads(open_file, name):
            return name
    raise Refused("workbook-not-xlsx")


def _reads(open_file: Opened, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with open_file() as file:
            while chunk := file.read(CHUNK):
                if _NO_TEXT.search(decoder.decode(chunk)):
                    return False
            decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def delimiter_of(sample: str) -> str:
    """The delimiter that splits the first rows into most columns; a comma when none does."""

    def columns(delimiter: str) -> int:
        try:
            rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
            return max((len(row) for row, _count in zip(rows, range(_SNIFFED), strict=False)), default=0)
        except csv.Error:
            return 0

    return max(DELIMITERS, key=columns)


def cell(text: str) -> str | None:
    """A cell as text: ="0012" is what Excel needs to keep a number as text."""
    found = _EXCEL_TEXT.fullmatch(text)
    text = found[1] if found else text
    return text if text.strip() else None


def rows_of(open_file: Opened, encoding: str, limits: dict[str, int]) -> Iterator[tuple[int, list[str | None]]]:
    """(number of the record, cells) of every row that holds something; raises Refused."""
    csv.field_size_limit(LONGEST_TEXT)
    with open_file() as raw, io.TextIOWrapper(raw, encoding, errors="strict", newline="") as text:
        sample = text.read(CHUNK)
    held = 0
    with open_file() as raw, io.TextIOWrapper(raw, encoding, errors="strict", newline="") as text:
        try:
            for number, row in enumerate(csv.reader(text, delimiter=delimiter_of(sample)), 1):
                if len(row) > limits["columns"]:
                    raise Refused("workbook-dimensions", cell=f"{len(row)}/{number}")
                cells = [cell(each) for each in row]
                if any(each is not None for each in cells):
                    held += 1
                    if held > limits["rows"]:
                        raise Refused("workbook-too-large")
                    yield number, cells
        except (csv.Error, UnicodeError) as error:
            raise Refused("workbook-broken") from error


class _Metered(io.RawIOBase):
    """A member of an archive, read through the budget: what it claims about its size is not believed."""

    def __init__(self, stream: Any, budget: Budget, packed: int):
        self._stream, self._budget, self._packed, self._seen = stream, budget, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            chunk = self._stream.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise Refused("workbook-broken") from error
        self._seen += len(chunk)
        self._budget.take(len(chunk), self._seen, self._packed)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._stream.close()
        super().close()


def files_of(file: BinaryIO, limits: dict[str, int]) -> dict[str, Opened]:
    """The CSV files by name: the file itself, or those in the zip; raises Refused."""
    if file.read(4) != b"PK\x03\x04":

        def whole() -> BinaryIO:
            file.seek(0)
            return io.BufferedReader(_Metered(_Kept(file), Budget(limits["inflated"], limits["ratio"], 1 << 62), 1))

        return {ALONE: whole}
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Refused("workbook-broken") from error
    budget = Budget(
        3 * limits["inflated"], limits["ratio"], limits["ratio_from"]
    )  # each file is read up to three times
    found: dict[str, Opened] = {}
    for member in archive.infolist():
        name = _name_of(member)
        if member.is_dir() or name.startswith("__MACOSX/") or posixpath.basename(name).startswith("."):
            continue
        if member.flag_bits & 1:
            raise Refused("workbook-encrypted")
        if not name.lower().endswith(ENDINGS):
            raise Refused("zip-members", name=posixpath.basename(name)[:40])
        if name in found or len(found) >= MOST_FILES:
            raise Refused("workbook-bomb")

        def part(member: zipfile.ZipInfo = member) -> BinaryIO:
            try:
                stream = archive.open(member)
            except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
                raise Refused("workbook-broken") from error
            return io.BufferedReader(_Metered(stream, budget, member.compress_size), CHUNK)

        found[posixpath.basename(name)] = part
    if not found:
        raise Refused("zip-empty")
    return found


class _Kept:
    """Reads a file and leaves it open: it is read again."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def close(self) -> None: ...


def _name_of(member: zipfile.ZipInfo) -> str:
    """The name inside the zip; nothing is ever unpacked to it, but who writes such a name means harm."""
    name = member.filename
    if not member.flag_bits & 0x800:  # not marked as UTF-8: Windows in China writes GBK
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = member.filename
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise Refused("zip-names")
    return "/".join(parts)


def stream(file: BinaryIO, limits: dict[str, int], head: int, write: Callable[[Any], None]) -> None:
    """Write every table, or only the first `head` rows of each; raises Refused."""
    files = files_of(file, limits)
    encodings = {name: encoding_of(open_file) for name, open_file in files.items()}
    write({"sheets": list(files), "date1904": False, "encodings": encodings})
    for name, open_file in files.items():
        counted = 0
        write({"sheet": name})
        for number, cells in rows_of(open_file, encodings[name], limits):
            counted += 1
            if head and counted > head:
                continue
            write([number, cells])
        if head:
            write({"sheet": name, "rows": counted})
    write({"end": True})


def main(limits: dict[str, int], head: int = 0) -> None:
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
        stream(sys.stdin.buffer, limits, head, write)
    except Refused as refused:
        write({"refused": refused.code, **refused.facts})
    except MemoryError:
        write({"refused": "workbook-too-large"})
    out.flush()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
