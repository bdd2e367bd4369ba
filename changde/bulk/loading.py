"""Loading a whole city at once: as the owner of the tables, with indexes and foreign keys made after the rows.

Filling an index row by row and checking each foreign key row by row costs many times what building and checking them
once costs. Everything stands in the caller's transaction: a load that breaks off leaves tables, indexes and
constraints as they were.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, models


@contextmanager
def as_owner() -> Iterator[None]:
    """Inside, this thread's connection is the owner's: it may alter tables and set sequences. Not in a transaction."""
    if connection.in_atomic_block:
        raise RuntimeError("the connection cannot change inside a transaction")
    before = connection.settings_dict
    owner = settings.DATABASES["owner"]
    connection.close()
    connection.settings_dict = {**before, "USER": owner["USER"], "PASSWORD": owner["PASSWORD"]}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


def copy_lines(model: type[models.Model], columns: Sequence[str], lines: bytes) -> None:
    """Send rows that are already in the text format of COPY."""
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    statement = f"COPY {quote(model._meta.db_table)} ({names}) FROM STDIN"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.cursor.copy_expert(statement, io.BytesIO(lines), 1 << 20)


def reserve_ids(model: type[models.Model], count: int) -> int:
    """Move the model's sequence on by `count` and return the first id of the block (owner only).

    The caller holds a lock against writers: between reading and moving somebody else's id would come twice.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table])
        (sequence,) = cursor.fetchone()
        cursor.execute("SELECT nextval(%s)", [sequence])
        (first,) = cursor.fetchone()
        cursor.execute("SELECT setval(%s, %s)", [sequence, first + max(count, 1) - 1])
    return int(first)


@dataclass(frozen=True)
class _Made:
    """What was taken away, and the statement that makes it again."""

    name: str
    statement: str


class Bare:
    """Tables without indexes and foreign keys, until `complete` makes them again (owner only, in a transaction).

    Ids keep their index where other tables point at it. `loaded` are the tables that are filled.
    """

    def __init__(self, loaded: Sequence[type[models.Model]]):
        self._tables = [model._meta.db_table for model in loaded]
        self._constraints: list[_Made] = []
        self._indexes: list[_Made] = []

    def strip(self) -> None:
        """Take away foreign keys, unique constraints and plain indexes; a primary key nobody points at too."""
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid), c.contype
                FROM pg_constraint c
                WHERE c.conrelid = ANY (%s::regclass[])
                  AND (c.contype IN ('f', 'u')
                       OR c.contype = 'p' AND NOT EXISTS (SELECT FROM pg_attribute a
                              WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attidentity <> ''))
                ORDER BY c.contype <> 'f', c.conname
                """,
                [self._tables],
            )
            for table, name, definition, _kind in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {quote(name)}")
                self._constraints.append(_Made(name, f"ALTER TABLE {table} ADD CONSTRAINT {quote(name)} {definition}"))
            cursor.execute(
                """
                SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
                FROM pg_index i
                WHERE i.indrelid = ANY (%s::regclass[])
                  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
                """,
                [self._tables],
            )
            for name, definition in cursor.fetchall():
                cursor.execute(f"DROP INDEX {name}")
                self._indexes.append(_Made(name, definition))
        # Keys first (foreign keys need them), foreign keys last.
        self._constraints.reverse()

    def complete(self, progress: Callable[[int, int, str], None] = lambda done, total, name: None) -> None:
        steps = [*self._indexes, *self._constraints]
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
            cursor.execute("SET LOCAL work_mem = '256MB'")
            for done, step in enumerate(steps):
                progress(done, len(steps), step.name)
                cursor.execute(step.statement)
        progress(len(steps), len(steps), "")


def lock_against_writers(loaded: Sequence[type[models.Model]]) -> None:
    tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in loaded)
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")


def settle(loaded: Sequence[type[models.Model]], progress: Callable[[str], None] = lambda name: None) -> None:
    """After the commit: let the planner count the rows, and mark pages all-visible for index-only scans."""
    with connection.cursor() as cursor:
        for model in loaded:
            progress(model._meta.db_table)
            cursor.execute(f"VACUUM (ANALYZE) {connection.ops.quote_name(model._meta.db_table)}")


def default_cells(model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
    """Column -> default of the columns that are not given, must not be empty and have no default in the database."""
    return {
        field.attname: field.get_default()
        for field in model._meta.concrete_fields
        if field.attname not in given
        and not field.primary_key
        and not field.null
        and field.db_default is models.NOT_PROVIDED
    }
