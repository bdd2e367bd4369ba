"""CSV files of cards: encodings, delimiters, one file or two or a zip; and files nobody should trust."""

import csv
import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.domain import table_stream
from households.domain.card_workbook import glance_at_cards, open_cards
from households.domain.row_stream import Refused
from households.domain.workbook import ReadLimits, WorkbookRefused
from tests.households import hostile
from tests.households.test_import_cards import SAMPLE

HOUSEHOLDS = [["户编号", "行政村编码", "户主证件号码", "年度"], ["A1", "430725103202", "", "2019"]]
MEMBERS = [
    ["户编号", "姓名", "证件号码", "与户主关系"],
    ["A1", "张三", '="430725197001010012"', "户主"],
    ["A1", "李四", "", "配偶"],
]
ONE_SHEET = [
    ["桃源县热市镇户卡台账"],
    ["户编号", "行政村编码", "年度", "联系电话", "姓名", "证件号码", "与户主关系", "联系电话", "备注"],
    ["A1", "430725103202", "2019", "13800000000", "张三", "", "户主", "13900000000", "x"],
    ["", "", "", "", "李四", "", "配偶", "", ""],
    ["B2", "430725103202", "2019", "", "王五", "", "户主", "", ""],
]


def text_of(rows: list[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def pair(encoding: str = "utf-8", delimiter: str = ",") -> io.BytesIO:
    return zipped(
        {
            "members.csv": text_of(MEMBERS, delimiter).encode(encoding),
            "导出/户.csv": text_of(HOUSEHOLDS, delimiter).encode(encoding),
        }
    )


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("gb18030", ","), ("gbk", "\t"), ("utf-16", "\t")]
)
def test_two_csv_files_in_a_zip_are_one_workbook_whatever_their_encoding_and_delimiter(encoding, delimiter):
    with open_cards(pair(encoding, delimiter)) as book:
        (group,) = book.groups
        read = book.read(group)
    assert [member.name for member in read.card.members] == ["张三", "李四"]
    assert read.card.members[0].id_number == "430725197001010012"
    assert (read.card.sheet.year, read.household_row.number, read.member_rows[1].number) == (2019, 2, 3)


def test_one_csv_file_with_a_member_a_row_is_split_into_households_and_members():
    with open_cards(io.BytesIO(text_of(ONE_SHEET).encode("gb18030"))) as book:
        cards = [book.read(group).card for group in book.groups]
        assert book.unknown_columns == {"户信息": ("备注",), "人信息": ("备注",)}
        pages = book.pages({1: {"户信息": {5: "不对"}}})
        assert [page.headers[-1] for page in pages] == ["退回原因", "退回原因"]
        assert [list(page.rows)[0][-1] for page in pages] == ["不对", None]
    assert [[member.name for member in card.members] for card in cards] == [["张三", "李四"], ["王五"]]
    assert (cards[0].household.phone, cards[0].members[0].phone) == ("13800000000", "13900000000")
    assert not [card for card in cards if len(card.heads) != 1]


def test_a_glance_names_tables_rows_header_encoding_and_what_an_unknown_column_may_mean():
    rows = [["桃源县"], [*HOUSEHOLDS[0], "家庭纯收入", "备注"], [*HOUSEHOLDS[1], "", ""]]
    seen = glance_at_cards(zipped({"h.csv": text_of(rows).encode("gbk"), "m.csv": text_of(MEMBERS).encode("gbk")}))
    first, second = seen["tables"]
    assert (first["sheet"], first["named"], first["header_row"], first["rows"]) == ("户信息", "h.csv", 2, 1)
    assert first["unknown"] == [{"column": "家庭纯收入", "near": "家庭年纯收入"}, {"column": "备注", "near": ""}]
    assert (second["rows"], "GB18030" in seen["encoding"]) == (2, True)


def test_a_glance_at_a_workbook_reads_its_first_rows_alone():
    with SAMPLE.open("rb") as file:
        seen = glance_at_cards(file)
    assert [(table["sheet"], table["rows"]) for table in seen["tables"]] == [("户信息", 120), ("人信息", 381)]


def test_columns_stand_in_any_order():
    order = list(range(4))
    random.Random(3).shuffle(order)
    shuffled = [[row[index] for index in order] for row in HOUSEHOLDS]
    file = zipped({"a.csv": text_of(shuffled).encode(), "b.csv": text_of(MEMBERS).encode()})
    with open_cards(file) as book:
        assert [group.number for group in book.groups] == ["A1"]


def test_a_missing_column_is_told_with_the_header_that_may_mean_it():
    renamed = [["户编号", "行政村编码", "户主证件号码", "年份"], HOUSEHOLDS[1]]
    with pytest.raises(WorkbookRefused) as refused:
        open_cards(zipped({"a.csv": text_of(renamed).encode(), "b.csv": text_of(MEMBERS).encode()}))
    assert (refused.value.code, refused.value.facts["near"]) == ("columns-missing", {"年度": "年份"})


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: zipped({"../../etc/户.csv": b"a,b"}), "zip-names"),
        (lambda: zipped({"/etc/a.csv": b"a,b"}), "zip-names"),
        (lambda: zipped({"C:/a.csv": b"a,b"}), "zip-names"),
        (lambda: zipped({"a.csv": b"a,b", "b.exe": b"MZ"}), "zip-members"),
        (lambda: zipped({"a.csv": b"a,b", "inner.zip": zipped({"b.csv": b"1"}).getvalue()}), "zip-members"),
        (lambda: zipped({"__MACOSX/._a.csv": b"x"}), "zip-empty"),
        (lambda: zipped({"a.csv": b"1," * 30_000_000}), "workbook-bomb"),
        (lambda: zipped({"a.csv": b"\x89PNG\x00\x01\x02"}), "workbook-not-xlsx"),
        (lambda: io.BytesIO(b"\x89PNG\r\n\x1a\n\x00\x00\x00"), "workbook-not-xlsx"),
        (lambda: io.BytesIO(b"a" * 40_000 + b",b"), "workbook-broken"),
        (lambda: io.BytesIO(b"," * 2000), "workbook-dimensions"),
        (lambda: io.BytesIO(b"\xff\xfe\x00\xd8"), "workbook-broken"),
        (lambda: zipped({"a.csv": text_of(HOUSEHOLDS).encode(), "b.csv": b"x,y\n1,2"}), "header-missing"),
    ],
)
def test_a_hostile_or_wrong_file_is_refused_with_its_code(make, code):
    with pytest.raises(WorkbookRefused) as refused:
        open_cards(make(), ReadLimits(inflated=40 << 20, seconds=20))
    assert refused.value.code == code


def test_an_honest_workbook_is_never_taken_for_csv():
    with open_cards(hostile.workbook([HOUSEHOLDS[0]], [MEMBERS[0]])) as book:
        assert book.groups == []


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), max_size=12)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=5), min_size=1, max_size=6)
LIMITS = {"inflated": 1 << 20, "ratio": 150, "ratio_from": 1 << 20, "rows": 100, "columns": 50}


def streamed(content: bytes) -> list[list[str | None]]:
    written: list = []
    table_stream.stream(io.BytesIO(content), LIMITS, 0, written.append)
    return [cells for line in written if isinstance(line, list) for cells in [line[1]]]


@settings(max_examples=60, deadline=None)
@given(rows=TABLES, delimiter=st.sampled_from(table_stream.DELIMITERS))
def test_what_is_written_is_what_is_read(rows, delimiter):
    """Whatever stands in the cells, other delimiters too: quoted texts keep it. The first row settles the delimiter."""
    width = max(map(len, rows))
    header = [f"列{number}" for number in range(40)]
    padded = [row + [""] * (width - len(row)) for row in rows]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([header, *padded])
    expected = [[table_stream.cell(each) for each in row] for row in padded]
    assert streamed(out.getvalue().encode("utf-8-sig"))[1:] == [row for row in expected if any(row)]


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes_are_rows_or_a_refusal(content):
    try:
        rows = streamed(content)
    except Refused as refused:
        assert refused.code
    else:
        assert all(len(row) <= LIMITS["columns"] for row in rows)
