"""Databases of a trial beside the working one: same server, same roles, same tables, never the same data."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connections


def name_of(trial: str) -> str:
    """The database of a trial: the working one's name and what it is tried for."""
    return f"{settings.DATABASES['default']['NAME']}_trial_{trial}"


@contextmanager
def _owner(database: str) -> Iterator[Any]:
    config = settings.DATABASES["owner"]
    connection = psycopg2.connect(
        dbname=database,
        user=config["USER"],
        password=config["PASSWORD"],
        host=config["HOST"],
        port=config["PORT"] or None,
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def exists(trial: str) -> bool:
    with _owner(settings.DATABASES["owner"]["NAME"]) as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name_of(trial)])
        return cursor.fetchone() is not None


def create(trial: str) -> None:
    """A fresh, migrated database with the divisions; one of that name is thrown away before."""
    drop(trial)
    application = settings.DATABASES["default"]["USER"]
    with _owner(settings.DATABASES["owner"]["NAME"]) as cursor:
        cursor.execute(f'CREATE DATABASE "{name_of(trial)}"')
    with _owner(name_of(trial)) as cursor:
        cursor.execute(f'ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{application}"')
        cursor.execute(f'ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO "{application}"')
    with working_in(trial):
        call_command("migrate", verbosity=0)
        call_command("load_divisions", verbosity=0, stdout=io.StringIO())


def drop(trial: str, seconds: float = 60) -> None:
    """Throw a trial's database away, if there is one; its sessions are ended."""
    roles = [settings.DATABASES[alias]["USER"] for alias in ("default", "owner")]
    deadline = time.monotonic() + seconds
    while True:
        try:
            with _owner(settings.DATABASES["owner"]["NAME"]) as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = ANY (%s)",
                    [name_of(trial), roles],
                )
                cursor.execute(f'DROP DATABASE IF EXISTS "{name_of(trial)}"')
            return
        except psycopg2.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextmanager
def working_in(trial: str) -> Iterator[None]:
    """Inside, this thread's connections lead to the trial's database; other threads are not touched."""
    aliases = ("default", "owner")
    before = {alias: connections[alias].settings_dict for alias in aliases}
    for alias in aliases:
        connections[alias].close()
        connections[alias].settings_dict = {**before[alias], "NAME": name_of(trial)}
    try:
        yield
    finally:
        for alias in aliases:
            connections[alias].close()
            connections[alias].settings_dict = before[alias]


def url_of(trial: str, alias: str) -> str:
    """The address of a trial's database, for a process of its own."""
    config = settings.DATABASES[alias]
    return f"postgres://{config['USER']}:{config['PASSWORD']}@{config['HOST']}:{config['PORT']}/{name_of(trial)}"
