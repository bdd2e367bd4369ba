"""The migrated database every test database is a copy of, made once for each state of the migrations.

Migrating takes a while and each process of the suite needs a database; copying one takes a second. The name holds
a fingerprint of what makes it, so that a change of a migration makes a new one and drops the old.

    python -m tests.template_database          makes it if it is not there
    python -m tests.template_database fill     migrates the database of the environment and loads the divisions
"""

import fcntl
import gc
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg2
from django.conf import settings
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "test_template_"


def owner_connection(database: str | None = None) -> Any:
    """A connection as the owner of the tables, outside Django."""
    config = settings.DATABASES["owner"]
    connection = psycopg2.connect(
        dbname=database or config["NAME"],
        user=config["USER"],
        password=config["PASSWORD"],
        host=config["HOST"],
        port=config["PORT"] or None,
    )
    connection.autocommit = True
    return connection


def database_url(alias: str, name: str | None = None) -> str:
    config = settings.DATABASES[alias]
    address = f"{config['USER']}:{config['PASSWORD']}@{config['HOST']}:{config['PORT']}"
    return f"postgres://{address}/{name or config['NAME']}"


def fingerprint() -> str:
    """Changes with whatever the migrations and the loader of divisions read."""
    sources = [Path(django.__file__), ROOT / "requirements.lock"]
    for pattern in ("*/migrations/*.py", "*/*/migrations/*.py", "changde/divisions/**/*.*", "*/models/*.py"):
        sources += sorted(path for path in ROOT.glob(pattern) if path.is_file() and "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    handle = os.open(Path(settings.DATA_DIR) / "test-template.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def ensure_template() -> str:
    """The name of the template; made now if it is not there. Of several processes one makes it and the others wait."""
    name = PREFIX + fingerprint()
    with one_at_a_time():
        admin = owner_connection("postgres")
        with admin.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
            found = {row[0] for row in cursor.fetchall()}
            if name not in found:
                for old in found:
                    cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
                _make(cursor, name)
        admin.close()
    return name


def _make(cursor: Any, name: str) -> None:
    unfinished = f"{name}_unfinished"
    cursor.execute(f'CREATE DATABASE "{unfinished}"')
    application = settings.DATABASES["default"]["USER"]
    owner = owner_connection(unfinished)
    with owner.cursor() as inside:
        inside.execute(f'ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{application}"')
        inside.execute(f'ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO "{application}"')
    owner.close()
    environment = os.environ | {
        "DATABASE_URL": database_url("default", unfinished),
        "MIGRATION_DATABASE_URL": database_url("owner", unfinished),
        "REDIS_URL": settings.REDIS_URL,
        "CHANGDE_DATA": str(settings.DATA_DIR),
    }
    command = [sys.executable, "-m", "tests.template_database", "fill"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    cursor.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')


def fill() -> None:
    """Every migration, then the divisions, in the database the environment names.

    Rendering the models of a hundred migrations leaves so many cycles that looking for garbage at the usual rate takes
    half the time. System checks run with makemigrations (scripts/check.py).
    """
    gc.set_threshold(200_000)
    for command in ("migrate", "load_divisions"):
        call_command(command, verbosity=0, skip_checks=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changde.settings")
    django.setup()
    fill() if sys.argv[1:] == ["fill"] else ensure_template()
