"""Keeps a few child processes running as one: tagged output, restart of what dies, an orderly end of all.

For the demo and for small installations on one machine; larger ones use their init system or containers.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from changde.embedded.places import command_line

STOP_SECONDS = 20
LONG_LIFE_SECONDS = 30  # who lived as long is restarted at once, who dies sooner after a growing pause
LONGEST_PAUSE_SECONDS = 30.0
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyRunning(RuntimeError):
    """Another supervisor holds this data folder; `pid` is its process."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"already running as process {pid}")
        self.pid = pid


@dataclass
class Child:
    """One program to keep alive."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = 0.0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass
class Supervisor:
    """Runs `children` until a signal or `stop` ends it. `data` holds its lock and the list of its processes."""

    data: Path
    children: list[Child]
    environment: Mapping[str, str]
    write: Callable[[str], None]
    _ending: threading.Event = field(default_factory=threading.Event)
    _readers: list[threading.Thread] = field(default_factory=list)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def run(self, ready: Callable[[], bool] = lambda: True, announce: Callable[[], None] = lambda: None) -> None:
        """Start all, call `announce` once when `ready`, keep all alive; returns when everything has ended."""
        descriptor = _claim(self.data)
        earlier = {number: signal.signal(number, self._on_signal) for number in ENDING_SIGNALS}
        try:
            _end_orphans(self.data)
            announced = False
            while not self._ending.is_set():
                self._tend()
                if not announced and ready():
                    announced = True
                    announce()
                self._ending.wait(0.2)
        finally:
            self._end_children()
            for number, handler in earlier.items():
                signal.signal(number, handler)
            (self.data / PROCESSES_FILE).unlink(missing_ok=True)
            os.close(descriptor)

    def stop(self) -> None:
        self._ending.set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._ending.set()

    def _tend(self) -> None:
        changed = False
        for child in self.children:
            if child.alive:
                continue
            if child.process is not None:
                self._mourn(child)
            if time.monotonic() >= child.due:
                self._start(child)
                changed = True
        if changed:
            self._remember()

    def _mourn(self, child: Child) -> None:
        """Note the death of a child and when it is started again."""
        assert child.process is not None
        lived = time.monotonic() - child.started
        child.pause = 0.0 if lived > LONG_LIFE_SECONDS else min(max(0.5, child.pause * 2), LONGEST_PAUSE_SECONDS)
        child.due = time.monotonic() + child.pause
        self._say(child.name, f"ended with {child.process.returncode}; starts again in {child.pause:g} s")
        child.process = None

    def _start(self, child: Child) -> None:
        # A session of its own: Ctrl-C reaches this process alone, which ends the others in order.
        child.process = subprocess.Popen(
            list(child.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(self.environment),
            start_new_session=True,
        )
        child.started = time.monotonic()
        reader = threading.Thread(target=self._relay, args=(child.name, child.process), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _relay(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._say(name, line.decode(errors="replace").rstrip())
        process.stdout.close()

    def _say(self, name: str, text: str) -> None:
        with self._writing:
            self.write(f"[{name}] {text}")

    def _remember(self) -> None:
        """Write down who runs, so that after a kill -9 the next supervisor finds the orphans."""
        alive = [child.process.pid for child in self.children if child.process is not None]
        content = {"supervisor": os.getpid(), "children": {str(pid): command_line(pid) for pid in alive}}
        partial = self.data / f"{PROCESSES_FILE}.partial"
        partial.write_text(json.dumps(content))
        partial.replace(self.data / PROCESSES_FILE)

    def _end_children(self) -> None:
        """Ask all at once, in the order of their list; whoever does not listen is killed with its whole session."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for reader in self._readers:
            reader.join(timeout=1)


PROCESSES_FILE = "serve.json"
LOCK_FILE = "serve.lock"


def running(data: Path) -> int | None:
    """The process id of the supervisor that holds this folder."""
    try:
        os.close(_claim(data))
    except AlreadyRunning as other:
        return other.pid
    except FileNotFoundError:
        pass
    return None


def end(data: Path, seconds: float = STOP_SECONDS + 10) -> bool:
    """Ask the folder's supervisor to end and wait for it; also ends what a killed one left. True when one ran."""
    pid = running(data)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while running(data) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
    _end_orphans(data)
    return pid is not None


def _claim(data: Path) -> int:
    """Hold the folder's lock; the kernel frees it when this process dies, however it dies."""
    descriptor = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(_remembered(data).get("supervisor", 0)) from None
    return descriptor


def _remembered(data: Path) -> dict:
    try:
        return json.loads((data / PROCESSES_FILE).read_text())
    except (OSError, ValueError):
        return {}


def _end_orphans(data: Path) -> None:
    """End children of a supervisor that was killed: they would hold the port and do the jobs twice."""
    orphans = [int(pid) for pid, command in _remembered(data).get("children", {}).items() if _same(int(pid), command)]
    for pid in orphans:
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while any(command_line(pid) for pid in orphans) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in orphans:
        if command_line(pid):
            os.killpg(pid, signal.SIGKILL)
    (data / PROCESSES_FILE).unlink(missing_ok=True)


def _same(pid: int, command: str) -> bool:
    """Whether the process is still the one that was written down: ids are used again."""
    return bool(command) and command_line(pid) == command


def to_stdout(line: str) -> None:
    print(line, file=sys.stdout, flush=True)
