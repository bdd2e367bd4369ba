"""A bar in the terminal for long commands: what is done, how far, how long it will still take."""

from time import monotonic
from types import TracebackType
from typing import Any

WIDTH = 30


class ProgressBar:
    """Draws on `stream` when that is a terminal, else nothing. Time left is told by the pace of the present step."""

    def __init__(self, stream: Any):
        self._stream, self._is_terminal = stream, stream.isatty()
        self._step, self._began, self._from, self._drawn = "", monotonic(), 0, 0.0

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_terminal and self._drawn:
            self._stream.write("", ending="\n")

    def show(self, step: str, done: int, total: int) -> None:
        now = monotonic()
        phase = step.partition(" ")[0]
        if phase != self._step:
            self._step, self._began, self._from = phase, now, done
        if not self._is_terminal or (now - self._drawn < 0.2 and done < total):
            return
        self._drawn = now
        part = done / total if total else 0.0
        gone = done - self._from
        left = f"还需 {(now - self._began) * (total - done) / gone:.0f} 秒" if gone > 0 and done < total else ""
        bar = "#" * int(WIDTH * part)
        self._stream.write(f"\r\x1b[K[{bar:<{WIDTH}}] {step} {done:,}/{total:,} {left}", ending="")
        self._stream.flush()
