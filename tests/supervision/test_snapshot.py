"""The canonical form of a posted list: byte-exact, masked, without numbers."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.domain.publicity import SHANGHAI
from supervision.domain.snapshot import (
    CAUSES,
    KIND_LABELS,
    Content,
    NotCanonical,
    Reference,
    Row,
    canonical,
    checksum,
    clean,
    long_numbers,
    parse,
    personal_numbers,
    public_cause,
)

ROWS = (
    Row(1, "张*华", "1组", 3, "identification", "因病"),
    Row(2, "李*", "红旗组", 1, "marginal", "缺劳力"),
    Row(3, "欧**华", "无", 5, "return", "无"),
)
CONTENT = Content(
    village=430725103202,
    area=("常德市", "桃源县", "热市镇", "凤鸣村"),
    year=2019,
    step="first",
    number=1,
    posted_at=datetime(2026, 11, 23, 9, 30, 5, tzinfo=SHANGHAI),
    starts_at=datetime(2026, 11, 24, tzinfo=SHANGHAI),
    ends_at=datetime(2026, 12, 1, tzinfo=SHANGHAI),
    days=7,
    corrects=None,
    first=None,
    previous=None,
    index_version="default-2019",
    rows=ROWS,
)


def test_the_worked_example_of_the_documentation():
    """docs/publicity.md shows this list and its checksum byte by byte."""
    page = (Path(__file__).parents[2] / "docs/publicity.md").read_text(encoding="utf-8")
    text = canonical(CONTENT)
    assert f"```text\n{text}```" in page
    assert hashlib.sha256(text.encode()).hexdigest() == checksum(text)
    assert checksum(text) in page


def test_the_bytes_are_utf8_without_mark_with_line_feeds_alone():
    written = canonical(CONTENT).encode()
    assert not written.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in written
    assert not written.endswith(b"\n\n")


def test_a_correction_names_the_list_it_corrects_and_a_second_list_its_first():
    first, second = Reference(3, "a" * 64), Reference(4, "b" * 64)
    content = replace(CONTENT, step="second", number=5, corrects=second, first=first, previous="c" * 64)
    text = canonical(content)
    assert f"更正的名单\t4 {'b' * 64}\n依据的第一次公示名单\t3 {'a' * 64}\n上一名单校验码\t{'c' * 64}\n" in text
    assert parse(text) == content


def test_an_empty_correction_can_be_written_and_read():
    content = replace(CONTENT, rows=())
    assert parse(canonical(content)) == content


@pytest.mark.parametrize(
    "row",
    [
        Row(1, "张建华", "1组", 3, "identification", "因病"),
        Row(1, "张*华", "1组", 3, "identification", "尿毒症"),
        Row(1, "张*华", "1组", 3, "poor", "因病"),
        Row(1, "张*华", "1\t组", 3, "identification", "因病"),
        Row(1, "张*华", "1\n组", 3, "identification", "因病"),
        Row(1, "张*华", " 1组", 3, "identification", "因病"),
        Row(1, "张*华", "", 3, "identification", "因病"),
        Row(2, "张*华", "1组", 3, "identification", "因病"),
    ],
    ids=["name", "illness", "kind", "tab", "line", "blank", "empty", "position"],
)
def test_what_may_not_be_public_is_refused(row):
    with pytest.raises(NotCanonical):
        canonical(replace(CONTENT, rows=(row,)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("张*华", "张建华"),
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("户数\t3", "户数\t4"),
        lambda text: text.replace("格式1", "格式2"),
        lambda text: text.replace("2026-11-24 00:00", "2026-11-24 08:00"),
        lambda text: "",
        lambda text: "名单",
    ],
)
def test_a_text_that_is_not_canonical_is_not_read(damage):
    with pytest.raises(NotCanonical):
        parse(damage(canonical(CONTENT)))


@pytest.mark.parametrize(
    ("cause", "public"),
    [
        ("因病", "因病"),
        ("因残", "因残"),
        ("", "无"),
        ("尿毒症", "其他"),
        ("因病（尿毒症）", "其他"),
        (" 缺 水 ", "其他"),
        (" 缺水　", "缺水"),
    ],
)
def test_only_general_causes_are_public(cause, public):
    assert public_cause(cause) == public


cells = st.text(min_size=1, max_size=12).map(clean).filter(bool)
rows = st.lists(
    st.builds(
        Row,
        position=st.just(0),
        head=cells.map(lambda name: name[0] + "*"),
        group=cells,
        persons=st.integers(0, 30),
        kind=st.sampled_from(sorted(KIND_LABELS)),
        cause=st.sampled_from([*CAUSES, "无"]),
    ),
    max_size=8,
).map(lambda made: tuple(replace(row, position=number) for number, row in enumerate(made, start=1)))


@given(rows, st.datetimes(datetime(2019, 1, 1), datetime(2099, 1, 1)), st.integers(1, 30))
def test_reading_gives_back_what_was_written(rows, posted, days):
    posted = posted.replace(microsecond=0, tzinfo=SHANGHAI)
    starts = posted.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    content = replace(
        CONTENT, rows=rows, posted_at=posted, starts_at=starts, ends_at=starts + timedelta(days=days), days=days
    )
    text = canonical(content)
    assert parse(text) == content
    assert clean(text.split("\n")[0]) == text.split("\n")[0]


@given(st.text())
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "张三 430725194309046431",
        "张三430725194309046431号",
        "43072519430904643X",
        "43072519430904643x",
        "430725430904643",
        "４３０７２５１９４３０９０４６４３１",
        "430725 19430904 6431",
        "430725-19430904-6431",
    ],
)
def test_numbers_of_15_and_18_places_are_found(text):
    assert len(personal_numbers(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1组",
        "2026-11-23 09:30:05",
        "430725103202",
        "13812345678",
        "12345678901234",
        "1234567890123456",
        "4307251943090464310",
        "a" * 20 + "123456789012345" + "b" * 29,
        hashlib.sha256(b"").hexdigest(),
    ],
)
def test_other_figures_are_no_numbers_of_people(text):
    assert personal_numbers(text) == []


def test_a_canonical_text_without_people_holds_no_number():
    for number in range(200):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        content = replace(CONTENT, number=number + 1, previous=digest, corrects=Reference(number + 900, digest))
        assert personal_numbers(canonical(content)) == []


@pytest.mark.parametrize("group", ["13812345678", "1组 138 1234 5678", "6222021234567890123", "430725194309046431"])
def test_a_group_that_holds_a_long_number_is_named(group):
    content = replace(CONTENT, rows=(replace(ROWS[0], group=group),))
    assert list(long_numbers(content)) == [(1, "group")]


def test_the_usual_groups_hold_none():
    assert list(long_numbers(CONTENT)) == []
