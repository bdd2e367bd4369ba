"""Reading ahead of the write: the same households, and processes that end with the one that writes."""

import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pypinyin import Style, lazy_pinyin

from changde.bulk.copy import cell_text
from households.domain import card_text
from households.domain.card_workbook import open_cards
from households.domain.checks import Limits
from households.domain.name_keys import name_keys
from households.domain.places import Places
from households.domain.read_ahead import Judge, Ruling, Work, chunks
from households.domain.row_stream import Book, Rows
from households.domain.workbook import ReadLimits
from households.services.card_rows import NEVER_NULL, member_columns, sheet_columns
from tests.conftest import ROOT, wait_until
from tests.households.cards import a_card, a_member
from tests.households.hostile import archive, sheet_xml

SAMPLE = ROOT / "households/reference/sample_cards.xlsx"
FENGMING = 430725103202
RULING = Ruling({2019: Decimal(3218)}, Limits(), frozenset())
PLACES = Places([(FENGMING, "凤鸣村", "热市镇", "桃源县")])


def work(size: int, kept_out: frozenset[int] = frozenset({1})) -> Work:
    return Work(0, size, kept_out, Judge(PLACES, {None: RULING, 430725000000: RULING}), NEVER_NULL)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_readers_ahead_hand_over_what_reading_here_gives():
    with open_cards(SAMPLE) as book:
        here = list(chunks(book, work(7), readers=0))
        ahead = list(chunks(book, work(7), readers=2))
    assert ahead == here
    assert sum(len(made) for _first, _last, made in here) == len(book.groups) - 1


def test_a_reader_that_dies_is_replaced_by_reading_here():
    with open_cards(SAMPLE) as book:
        here = list(chunks(book, work(5), readers=0))
        ahead = chunks(book, work(5), readers=1)
        first = next(ahead)
        ahead.gi_frame.f_locals["ahead"][0]._process.kill()
        assert [first, *ahead] == here


def test_an_iterator_that_is_closed_early_leaves_no_process():
    with open_cards(SAMPLE) as book:
        ahead = chunks(book, work(5), readers=2)
        next(ahead)
        pids = [reader._process.pid for reader in ahead.gi_frame.f_locals["ahead"]]
        ahead.close()
    assert [is_running(pid) for pid in pids] == [False, False]


WRITER = """
import sys, time
from pathlib import Path
from households.domain.card_workbook import open_cards
from households.domain.checks import Limits
from households.domain.places import Places
from households.domain.read_ahead import Judge, Ruling, Work, chunks
never_null = dict.fromkeys(("household", "person", "sheet", "membersheet"), frozenset())
work = Work(0, 5, frozenset(), Judge(Places(()), {None: Ruling({}, Limits(), frozenset())}), never_null)
with open_cards(Path(sys.argv[1])) as book:
    ahead = chunks(book, work, readers=1)
    next(ahead)
    print(ahead.gi_frame.f_locals["ahead"][0]._process.pid, flush=True)
    time.sleep(60)
"""


def test_a_writer_that_is_killed_takes_its_reader_with_it():
    command = [sys.executable, "-c", WRITER, str(SAMPLE)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        reader = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
    wait_until(lambda: not is_running(reader))


# -- cells -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["张三", "a\tb\\c\nd", "", True, False, 7, Decimal("12.50"), ("因病", 'a"b\\'), date(1970, 1, 2)]
)
def test_a_cell_made_ahead_is_the_cell_a_write_would_make(value):
    assert card_text.cell(value) == cell_text(value)


def test_the_rows_made_ahead_hold_what_a_save_stores(db):
    card = a_card(a_member(phone=None, health=("长期慢性病", "残疾"), work_months=None))
    card = replace(card, sheet=replace(card.sheet, entered_at=datetime(2019, 10, 21, 10, 1)))
    text = card_text.TextOf(NEVER_NULL)(card)
    member = member_columns(card.members[0])
    assert text.members[0].split("\t") == [cell_text(member[name]) for name in (*card_text.MEMBER_COLUMNS, "relation")]
    worked_out = card_text.with_income(card).sheet
    assert text.sheet.split("\t") == [cell_text(sheet_columns(worked_out)[name]) for name in card_text.SHEET_COLUMNS]


@pytest.mark.parametrize(
    "name", ["张建华", "曾国藩", "重庆", "单于", "长孙无忌", "解放", "朝阳", "阿依古丽·买买提", "", "Li 四"]
)
def test_the_keys_of_a_name_are_those_of_the_dictionary_of_phrases(name):
    syllables = lazy_pinyin(name)
    assert name_keys(name)[0] == " ".join(syllables).lower()
    assert name_keys(name)[1][:1] == "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower()[:1]


# -- rows by patterns --------------------------------------------------------------------------------------------------

LIMITS = {"rows": 100, "columns": 20}
TEXTS = ["甲", "乙"]
PLAIN = {
    "inline": '<row r="2"><c r="A2" t="inlineStr"><is><t>张&amp;三&#10;</t></is></c><c r="C2"><v>1.5</v></c></row>',
    "shared": '<row r="1" spans="1:3"><c r="B1" s="4" t="s"><v>1</v></c><c r="A1"/><c r="D1" t="b"><v>1</v></c></row>',
    "numbers": '<row><c r="A1"><v>007</v></c><c r="B1"><v>-3</v></c><c r="C1"><v>123456789012345678901</v></c></row>',
    "empty": '<row r="3"/><row r="5"><c r="A5" s="1"/></row><row r="7"><c r="A7" t="str"><v>x</v></c></row>',
    "errors": '<row r="1"><c r="A1" t="e"><v>#N/A</v></c><c r="B1" t="b"/><c r="C1" t="n"><v>zwölf</v></c></row>',
}
BY_EVENTS = {
    "formula": '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>',
    "runs": '<row r="1"><c r="A1" t="inlineStr"><is><r><t>张</t></r><r><t>三</t></r></is></c></row>',
    "comment": '<row r="1"><!-- <c r="A1"/> --><c r="A1"><v>2</v></c></row>',
    "CDATA": '<row r="1"><c r="A1" t="str"><v><![CDATA[<row>]]></v></c></row>',
    "line end": '<row r="1"><c r="A1" t="inlineStr"><is><t>a\r\nb</t></is></c></row>',
}


SHEET = "xl/worksheets/1.xml"


def book_of(rows: str) -> Book:
    return Book(archive(households=sheet_xml(rows)), asdict(ReadLimits()) | LIMITS)


def by_patterns(rows: str) -> list[tuple[int, list]]:
    found: list[tuple[int, list]] = []
    book_of(rows).read_rows(SHEET, TEXTS, lambda row, cells: found.append((row, cells)))
    return found


def by_events(rows: str) -> list[tuple[int, list]]:
    found: list[tuple[int, list]] = []
    book_of(rows).parse(
        SHEET, Rows(TEXTS, asdict(ReadLimits()) | LIMITS, lambda row, cells: found.append((row, cells)))
    )
    return found


@pytest.mark.parametrize("rows", [*PLAIN.values(), *BY_EVENTS.values()], ids=[*PLAIN, *BY_EVENTS])
def test_rows_read_by_patterns_are_the_rows_read_by_events(rows):
    ordinary = '<row r="1"><c r="A1"><v>1</v></c></row>'
    assert by_patterns(ordinary + rows + ordinary) == by_events(ordinary + rows + ordinary)


@pytest.mark.parametrize("rows", PLAIN.values(), ids=PLAIN)
def test_plainly_written_rows_need_no_events(rows, monkeypatch):
    monkeypatch.setattr(Book, "parse", lambda *_: pytest.fail("read by events"))
    assert isinstance(by_patterns(rows), list)
