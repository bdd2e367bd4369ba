"""COPY in and out of Postgres over psycopg2."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from django.db import connection, models

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def cell_text(value: Any) -> str:
    """One value in the text format of COPY; None and NaN are NULL."""
    write = _BY_TYPE.get(type(value))
    return write(value) if write is not None else _other(value)


def _plain(text: str) -> str:
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _other(value: Any) -> str:
    if value is pd.NA or value is pd.NaT:
        return r"\N"
    if isinstance(value, float) and value != value:
        return r"\N"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (int, Decimal)):
        return str(value)
    return str(value).translate(_ESCAPES)


def _array(values: Sequence[Any]) -> str:
    """A Postgres array literal of texts or numbers."""
    if set(map(type, values)) == {int}:
        return "{" + ",".join(map(str, values)) + "}"
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


_BY_TYPE: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: r"\N",
    str: _plain,
    bool: lambda value: "t" if value else "f",
    int: str,
    Decimal: str,
    bytes: lambda value: r"\\x" + value.hex(),
    memoryview: lambda value: r"\\x" + value.hex(),
    list: lambda value: _array(value).translate(_ESCAPES),
    tuple: lambda value: _array(value).translate(_ESCAPES),
}


class _Lines(io.RawIOBase):
    """Feeds COPY from a generator of lines, so that memory stays flat."""

    def __init__(self, lines: Iterator[bytes]):
        self._lines = lines
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunks, size = [self._rest], len(self._rest)
        while size < len(buffer):
            line = next(self._lines, None)
            if line is None:
                break
            chunks.append(line)
            size += len(line)
        text = b"".join(chunks)
        buffer[: len(text)] = text[: len(buffer)]
        self._rest = text[len(buffer) :]
        return min(len(text), len(buffer))


def copy_in(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows into the model's table by COPY, in the transaction that is open.

    `columns` are database columns; each row holds one value per column (None is NULL, a dict becomes JSON,
    a list an array, bytes become bytea). Returns the number of rows. Triggers (history, seals) fire as for any insert.
    """
    with connection.cursor() as cursor:
        return copy_rows(cursor, model._meta.db_table, columns, rows)


def copy_rows(cursor: Any, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """The same into any table, a temporary one too, on a cursor that is open."""
    counted = 0

    def lines() -> Iterator[bytes]:
        nonlocal counted
        for row in rows:
            counted += 1
            yield ("\t".join(map(cell_text, row)) + "\n").encode()

    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    with connection.wrap_database_errors:
        cursor.cursor.copy_expert(
            f"COPY {quote(table)} ({names}) FROM STDIN", io.BufferedReader(_Lines(lines()), 1 << 18)
        )
    return counted


def column_text(column: pd.Series) -> list[str]:
    """A whole column in the text format of COPY, many times faster than cell by cell; NA is NULL."""
    if pd.api.types.is_bool_dtype(column.dtype):
        text = ["t" if value is True else "f" for value in column.tolist()]
    elif pd.api.types.is_numeric_dtype(column.dtype):
        text = list(map(str, column.tolist()))
    else:
        text = [str(value).translate(_ESCAPES) for value in column.tolist()]
    empty = column.isna().to_numpy()
    for position in empty.nonzero()[0]:
        text[position] = r"\N"
    return text


def copy_out(
    sql: str, parameters: Mapping[str, Any] | None = None, dtype: Any = None, parse_dates: Sequence[str] = ()
) -> pd.DataFrame:
    """The rows of a query as a DataFrame, read by COPY (CSV); NULL is NaN/NA of the column's dtype.

    Values are always bound (`%(name)s`), never formatted into the text.
    """
    return pd.read_csv(
        copy_out_bytes(sql, parameters),
        dtype=dtype,
        parse_dates=list(parse_dates) or False,
        true_values=["t"],
        false_values=["f"],
    )


def copy_out_bytes(
    sql: str, parameters: Mapping[str, Any] | None = None, options: str = "FORMAT csv, HEADER"
) -> io.BytesIO:
    """The rows of a query as COPY writes them, read from the beginning; `options` are those of COPY."""
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        bound = cursor.mogrify(sql, parameters or {}).decode()
        cursor.cursor.copy_expert(f"COPY ({bound}) TO STDOUT WITH ({options})", buffer)
    buffer.seek(0)
    return buffer


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def run_sql(path: Path, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Run one named .sql file with bound values; rows as dictionaries (empty for a statement without rows)."""
    with connection.cursor() as cursor:
        cursor.execute(_text(path), parameters or {})
        if cursor.description is None:
            return []
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def sql_text(path: Path) -> str:
    """The text of a named .sql file, for copy_out."""
    return _text(path)


def allocate_ids(model: type[models.Model], count: int) -> list[int]:
    """Take `count` ids from the model's sequence, so that rows and ciphertexts can name them beforehand.

    Ascending, but with holes where somebody inserted meanwhile: a block taken by setval would need a right that the
    application's role has not, and would hand out again what a plain insert took in between.
    """
    if count == 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [connection.ops.quote_name(model._meta.db_table), count],
        )
        return [allocated for (allocated,) in cursor.fetchall()]
