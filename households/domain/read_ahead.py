"""Households of a workbook read, checked and brought into text ahead of the process that writes them.

Reading and writing each keep a core busy for about as long: done in turn, one core idles. So a process of its own
(`python -m households.domain.read_ahead`) reads chunk after chunk out of the spool and hands each over through a pipe.
The pipe bounds how far it runs ahead: one chunk waits to go through while the writer writes another. It holds no
connection, no key and no descriptor but the spool and its two pipes; when the writer ends, however it ends, the next
write fails and it ends too. A workbook of one chunk, and one whose reader dies, is read in the writer's own process.
"""

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

from households.domain.card import Card, Finding, HouseholdFacts, Member, SheetFacts
from households.domain.card_text import CardText, TextOf
from households.domain.card_workbook import CardBook, Group, ReadCard
from households.domain.checks import Context, Limits
from households.domain.places import Places
from households.domain.workbook import Table, Workbook

_ROOT = Path(__file__).parents[2]
_LENGTH = 8  # bytes that say how long a message is
_COUNTY = 1_000_000
MOST_READERS = 3
SELDOM = 100_000  # new objects between two looks of the collector (Python: 700)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a county judges by: income line by year, figures of the checks, yellow checks switched off."""

    lines: Mapping[int, Decimal]
    limits: Limits
    off: frozenset[str]


@dataclass(frozen=True, slots=True)
class Judge:
    """The places and, by county (None: of no known village), the rulings."""

    places: Places
    rulings: Mapping[int | None, Ruling]

    def findings(self, read: ReadCard, village: int | None) -> list[Finding]:
        """All findings on a household as read."""
        ruling = self.rulings[village - village % _COUNTY if village else None]
        return read.judge(
            Context(
                line=ruling.lines.get(read.card.sheet.year or 0),
                places=self.places,
                limits=ruling.limits,
                off=ruling.off,
            )
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A household of the workbook, checked by itself: its place, number and row there, the card in its village."""

    index: int
    number: str | None
    row: int | None
    card: Card
    findings: tuple[Finding, ...]
    text: CardText


@dataclass(frozen=True)
class Work:
    """Which households are prepared: from `start` on, `size` at a time, but for those kept out."""

    start: int
    size: int
    kept_out: frozenset[int]
    judge: Judge
    never_null: Mapping[str, frozenset[str]]


def prepare(
    book: CardBook, groups: Sequence[Group], first: int, work: Work, text_of: TextOf | None = None
) -> list[Prepared]:
    """The households of a chunk; `first` is the place of the first group in the workbook."""
    text_of = text_of or TextOf(work.never_null)
    made = []
    for index, group in enumerate(groups, first):
        if index in work.kept_out:
            continue
        read = book.read(group)
        village = work.judge.places.village(read.card.household)
        findings = tuple(work.judge.findings(read, village))
        card = read.card
        if village != card.household.village_code:
            card = replace(card, household=replace(card.household, village_code=village))
        row = read.household_row.number if read.household_row else None
        made.append(Prepared(index, read.number, row, card, findings, text_of(card)))
    return made


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Inside, the collector of cycles looks seldom: cards make none, and looking through them again and again cost a
    tenth of an import's processor time."""
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def chunks(book: CardBook, work: Work, readers: int | None = None) -> Generator[tuple[int, int, list[Prepared]]]:
    """(first, last + 1, households) chunk by chunk; close the iterator to end the readers early.

    `readers` is the number of processes; None takes what the machine has beside this one.
    """
    total = len(book.groups)
    left = -(-(total - work.start) // work.size)
    if readers is None:
        readers = min(MOST_READERS, max(1, (os.cpu_count() or 2) - 1))
    readers = min(readers, left) if left > 1 else 0
    ahead = [_Reader(book, work, number, readers) for number in range(readers)]
    try:
        for chunk, first in enumerate(range(work.start, total, work.size)):
            last = min(first + work.size, total)
            made = ahead[chunk % readers].next() if readers else None
            yield first, last, prepare(book, book.groups[first:last], first, work) if made is None else made
    finally:
        for reader in ahead:
            reader.end()


class _Reader:
    """A process that prepares every `of`-th chunk, beginning with the `number`-th."""

    def __init__(self, book: CardBook, work: Work, number: int, of: int):
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-E", "-s", "-m", __name__, str(book.book.descriptor)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # an error could quote a cell
            pass_fds=[book.book.descriptor],
            env={name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ},
        )
        firsts = range(work.start + number * work.size, len(book.groups), of * work.size)
        order = (
            work,
            book.book.date1904,
            book.book.tables,
            [(first, book.groups[first : first + work.size]) for first in firsts],
        )
        with suppress(BrokenPipeError):  # it has died: next() says so
            assert self._process.stdin is not None
            pickle.dump(order, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.close()

    def next(self) -> list[Prepared] | None:
        """The next of its chunks; None when it has died."""
        assert self._process.stdout is not None
        length = self._process.stdout.read(_LENGTH)
        message = self._process.stdout.read(int.from_bytes(length, "big")) if len(length) == _LENGTH else b""
        if not message or len(message) < int.from_bytes(length, "big"):
            return None
        return [_unpacked(each) for each in pickle.loads(message)]  # noqa: S301 - of our own process

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()


# -- through the pipe --------------------------------------------------------------------------------------------------

_PARTS: dict[type, Any] = {
    of: attrgetter(*(each.name for each in fields(of))) for of in (HouseholdFacts, SheetFacts, Member, CardText)
}


def _packed(made: Prepared) -> tuple[Any, ...]:
    """As plain tuples: frozen dataclasses are slow to pickle."""
    card, member = made.card, _PARTS[Member]
    return (
        made.index,
        made.number,
        made.row,
        _PARTS[HouseholdFacts](card.household),
        _PARTS[SheetFacts](card.sheet),
        [member(each) for each in card.members],
        [(each.check_id, each.severity, each.member, each.attributes, dict(each.parameters)) for each in made.findings],
        _PARTS[CardText](made.text),
    )


def _unpacked(told: tuple[Any, ...]) -> Prepared:
    index, number, row, household, sheet, members, findings, text = told
    card = Card(HouseholdFacts(*household), SheetFacts(*sheet), tuple(Member(*each) for each in members))
    return Prepared(index, number, row, card, tuple(Finding(*each) for each in findings), CardText(*text))


def _answer(out: IO[bytes], made: Sequence[Prepared]) -> None:
    message = pickle.dumps([_packed(each) for each in made], pickle.HIGHEST_PROTOCOL)
    out.write(len(message).to_bytes(_LENGTH, "big"))
    out.write(message)
    out.flush()


def _main(descriptor: int) -> None:
    work: Work
    tables: dict[str, Table[Any]]
    work, date1904, tables, parts = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    spool: Workbook[Any] = Workbook(os.fdopen(descriptor, "rb"), (), date1904)
    spool.tables = tables
    book, text_of = CardBook(spool, groups=()), TextOf(work.never_null)
    with seldom_collected():
        for first, groups in parts:
            _answer(sys.stdout.buffer, prepare(book, groups, first, work, text_of))


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        _main(int(sys.argv[1]))
    os._exit(0)  # nothing is left to flush
