"""What a program holds in memory (Linux): another one and its children, watched; this one, by the kernel's mark."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.1  # seconds between two looks


@dataclass(frozen=True)
class Ran:
    """A program that ended: seconds on the clock, processor seconds, the peak of what it and its children held."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Ran:
    """Run a program to its end. Raises RuntimeError with the end of its error output when it fails.

    The peak is the largest sum of resident memory over the program and its children, looked at ten times a second;
    pages they share count for each.
    """
    began, peak, worked = time.monotonic(), 0.0, 0.0
    with subprocess.Popen(  # noqa: S603 - our own programs
        command, cwd=cwd, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            pids = _with_children(process.pid)
            peak = max(peak, sum(map(_resident_mb, pids)))
            worked = max(worked, _processor_seconds(process.pid))
            time.sleep(EVERY)
        seconds = time.monotonic() - began
        output, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[1:3]} ended with {process.returncode}: {errors[-2000:]}")
    return Ran(seconds, worked, peak, output)


def forget_own_peak() -> None:
    """Let the kernel's mark of this process's peak begin anew; where it may not, the peak of the whole life stays."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def own_peak_mb() -> float:
    """The most resident memory this process has held since `forget_own_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _with_children(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            tasks = Path(f"/proc/{one}/task").iterdir()
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue  # ended meanwhile
    return found


def _resident_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _processor_seconds(pid: int) -> float:
    """User and system time of the process and its ended children."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, parts[11:15])) / 100
