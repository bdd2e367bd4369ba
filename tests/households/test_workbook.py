"""Workbooks in and out: hostile ones are refused with a clear code, honest ones read in any order of columns."""

import io
import time
from pathlib import Path

import openpyxl
import pytest

from households.domain.card_template import template_pages
from households.domain.card_workbook import open_cards
from households.domain.workbook import Page, ReadLimits, WorkbookRefused, write
from households.messages import WORKBOOK_TEXTS, workbook_message
from tests.households import hostile
from tests.households.hostile import HOUSEHOLD_HEADERS, MEMBER_HEADERS, archive, sheet_xml, text_row, workbook

SAMPLE = Path(__file__).parents[2] / "households/reference/sample_cards.xlsx"
HEAD = "430725194309046431"
HOUSEHOLD = ["43072510320200001", "430725103202", HEAD, 2019]
MEMBER = ["43072510320200001", "李金敏", HEAD, "户主"]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def half_of_the_sample() -> io.BytesIO:
    content = SAMPLE.read_bytes()
    return io.BytesIO(content[: len(content) // 2])


def sample_with_a_broken_sheet() -> io.BytesIO:
    return archive(households=sheet_xml(text_row(1, HOUSEHOLD_HEADERS))[:-30])


HOSTILE = {
    "empty file": (lambda: io.BytesIO(b""), "workbook-not-xlsx"),
    "csv of something else": (lambda: io.BytesIO("户编号,姓名\n1,张三\n".encode()), "header-missing"),
    "renamed picture": (lambda: io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"\0" * 500), "workbook-not-xlsx"),
    "half a workbook": (half_of_the_sample, "workbook-broken"),
    "other archive": (lambda: archive_without_workbook(), "zip-names"),
    "broken sheet": (sample_with_a_broken_sheet, "workbook-broken"),
    "old .xls": (lambda: io.BytesIO(OLE), "workbook-old"),
    "password": (lambda: io.BytesIO(OLE + "EncryptedPackage".encode("utf-16-le")), "workbook-encrypted"),
    "macros": (lambda: archive(extra={"xl/vbaProject.bin": b"\0"}), "workbook-macros"),
    "corner cells": (hostile.corner_cells, "workbook-dimensions"),
    "declared corner": (hostile.declared_corner, "workbook-dimensions"),
    "shared text bomb": (hostile.shared_text_bomb, "workbook-bomb"),
    "endless text": (hostile.long_text, "workbook-bomb"),
    "entities": (hostile.entities, "workbook-bomb"),
    "many members": (lambda: archive(extra={f"x/{n}": b"" for n in range(1001)}), "workbook-bomb"),
    "missing sheet": (lambda: workbook([], [], names=("户信息", "别的")), "sheet-missing"),
    "no header": (lambda: workbook([["说明"], ["请填写"]], [["说明"]]), "header-missing"),
    "missing column": (
        lambda: workbook([["户编号", "行政村编码"]], [list(MEMBER_HEADERS)]),
        "columns-missing",
    ),
    "column twice": (
        lambda: workbook([[*HOUSEHOLD_HEADERS, "年 度"]], [list(MEMBER_HEADERS)]),
        "column-twice",
    ),
}


def archive_without_workbook() -> io.BytesIO:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("../../etc/passwd", "x")
    file.seek(0)
    return file


def with_file(tmp_path: Path, content: io.BytesIO) -> Path:
    path = tmp_path / "cards.xlsx"
    path.write_bytes(content.getvalue())
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_wrong_workbook_is_refused_with_its_code_within_seconds(name, tmp_path):
    make, code = HOSTILE[name]
    path = with_file(tmp_path, make())
    begun = time.monotonic()
    with pytest.raises(WorkbookRefused) as refused:
        open_cards(path)
    assert refused.value.code == code
    assert time.monotonic() - begun < 5
    assert "%" not in workbook_message(refused.value)


def test_every_code_has_a_text():
    assert {code for _make, code in HOSTILE.values()} <= set(WORKBOOK_TEXTS)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (ReadLimits(file=1000), "workbook-too-large"),
        (ReadLimits(inflated=100_000), "workbook-too-large"),
        (ReadLimits(rows=100), "workbook-too-large"),
        (ReadLimits(memory=8 << 20), "workbook-"),
        (ReadLimits(output=10_000), "workbook-"),
        (ReadLimits(columns=10), "workbook-dimensions"),
        (ReadLimits(ratio=2, ratio_from=1000), "workbook-bomb"),
    ],
)
def test_every_limit_stops_the_reader(limits, code):
    with pytest.raises(WorkbookRefused) as refused:
        open_cards(SAMPLE, limits)
    assert refused.value.code.startswith(code)


def test_a_bomb_that_lies_about_its_size_is_counted_as_it_comes_out(tmp_path):
    """The archive's own claim of the inflated size is overwritten with a small one."""
    content = bytearray(hostile.shared_text_bomb(60).getvalue())
    place = content.rindex(b"xl/sharedStrings.xml") - 46 + 24
    content[place : place + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(WorkbookRefused) as refused:
        open_cards(with_file(tmp_path, io.BytesIO(bytes(content))))
    assert refused.value.code in {"workbook-bomb", "workbook-broken"}


def test_columns_may_stand_in_any_order_under_a_title_and_unknown_ones_are_named():
    households = [["常德市建档立卡户信息表"], [], ["备注", *reversed(HOUSEHOLD_HEADERS)], ["x", *reversed(HOUSEHOLD)]]
    with open_cards(workbook(households, [list(MEMBER_HEADERS), MEMBER])) as book:
        assert book.unknown_columns == {"户信息": ("备注",)}
        (group,) = book.groups
        card = book.read(group)
        assert (card.number, card.card.sheet.year, card.household_row.number) == ("43072510320200001", 2019, 4)
        assert card.card.members[0].name == "李金敏"


def test_members_join_by_household_number_else_by_the_heads_number():
    households = [list(HOUSEHOLD_HEADERS), [None, "430725103202", HEAD.lower(), 2019]]
    members = [["户主证件号码", *MEMBER_HEADERS], [f" {HEAD} ", None, *MEMBER[1:]]]
    with open_cards(workbook(households, members)) as book:
        (group,) = book.groups
        assert len(book.read(group).member_rows) == 1


def test_a_household_without_any_key_waits_and_takes_nobodys_members():
    households = [list(HOUSEHOLD_HEADERS), [None, "430725103202", None, 2019], [None, "430725103202", "无", 2019]]
    with open_cards(workbook(households, [list(MEMBER_HEADERS), [None, *MEMBER[1:]]])) as book:
        found = [[each.check_id for each in book.read(group).findings] for group in book.groups]
    assert found == [["household-no-key"], ["household-no-key"], ["household-row-missing"]]


def test_the_same_household_twice_is_one_refused_household():
    with open_cards(workbook([list(HOUSEHOLD_HEADERS), HOUSEHOLD, HOUSEHOLD], [list(MEMBER_HEADERS), MEMBER])) as book:
        (group,) = book.groups
        (found,) = book.read(group).findings
    assert (found.check_id, found.parameters) == ("household-twice", {"row": 3})


def test_an_id_number_stored_as_a_figure_is_found_with_its_cell():
    members = [list(MEMBER_HEADERS), [*MEMBER[:2], float(HEAD), MEMBER[3]]]
    with open_cards(workbook([list(HOUSEHOLD_HEADERS), HOUSEHOLD], members)) as book:
        card = book.read(book.groups[0])
        problem = book.locate(card, card.findings[0])
    assert (problem.check_id, problem.sheet, problem.row, problem.column) == ("number-form", "人信息", 2, "证件号码")
    assert problem.parameters == {"kind": "lost-digits"}
    assert HEAD[:12] not in problem.raw


def test_a_formula_without_its_result_is_no_empty_cell():
    rows = text_row(1, HOUSEHOLD_HEADERS) + '<row r="2"><c t="str"><v>1</v></c><c/><c/><c><f>A1</f></c></row>'
    with open_cards(archive(households=sheet_xml(rows))) as book:
        (found,) = book.read(book.groups[0]).findings
    assert (found.check_id, found.attributes) == ("number-form", ("year",))


def test_a_long_sheet_passes_through_a_reader_that_could_not_hold_it(tmp_path):
    """360,000 figures need about 20 MB as objects; the reader as a whole, interpreter included, gets 28 MB."""
    row = "".join(f"<c><v>{number * 7919 % 100003}.{number}</v></c>" for number in range(60))
    rows = "".join(f'<row r="{number}">{row}</row>' for number in range(2, 6002))
    path = with_file(tmp_path, archive(households=sheet_xml(text_row(1, HOUSEHOLD_HEADERS) + rows)))
    with open_cards(path, ReadLimits(memory=28 << 20)) as book:
        assert len(book.groups) == 1


def test_written_cells_are_text_and_numbers_and_never_formulas():
    file = io.BytesIO()
    rows = [["=1+1", "430725194309046431", 430725194309046431, 12.5, True, None, "http://x.example", "@SUM(A1)"]]
    write(file, [Page("户信息", list("甲乙丙丁戊己庚辛"), rows)])
    sheet = openpyxl.load_workbook(file)["户信息"]
    cells = list(sheet[2])
    assert [cell.data_type for cell in cells] == ["s", "s", "s", "n", "s", "n", "s", "s"]
    assert [cell.value for cell in cells[:5]] == ["=1+1", HEAD, HEAD, 12.5, "是"]


def test_refused_rows_come_back_with_a_reason_and_can_be_brought_again():
    households = [["标题"], [*HOUSEHOLD_HEADERS, "备注"], [*HOUSEHOLD, "甲"], ["2", "430725103202", None, 2019, "乙"]]
    members = [list(MEMBER_HEADERS), MEMBER, ["2", "王五", None, "户主"]]
    returned = io.BytesIO()
    with open_cards(workbook(households, members)) as book:
        write(returned, book.pages({1: {"户信息": {4: "不对"}}}))
    returned.seek(0)
    sheet = openpyxl.load_workbook(returned)["户信息"]
    assert [cell.value for cell in sheet[1]] == [*HOUSEHOLD_HEADERS, "备注", "退回原因"]
    assert [cell.value for cell in sheet[2]] == ["2", "430725103202", None, 2019, "乙", "不对"]
    returned.seek(0)
    with open_cards(returned) as book:
        assert book.unknown_columns == {"户信息": ("备注",)}
        assert [(len(group.household), len(group.members)) for group in book.groups] == [(1, 1)]


def test_the_template_has_every_column_and_can_be_read():
    file = io.BytesIO()
    write(file, template_pages())
    file.seek(0)
    with open_cards(file) as book:
        assert (book.groups, book.unknown_columns, len(book.attributes)) == ([], {}, 92)
