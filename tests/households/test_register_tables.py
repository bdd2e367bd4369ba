"""Tables of registers as departments send them: any sheet, any order, dirty cells, hostile files."""

import io
import json
from datetime import date

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.domain import id_number
from households.domain.registers import REGISTERS, layout, open_register, reader, template_page
from households.domain.workbook import ReadLimits, Row, WorkbookRefused, write
from households.register_messages import register_row_message
from tests.factories import id_number as made_number
from tests.households import hostile
from tests.households.registers import AS_OF, table

NUMBER = "43072519430904643" + id_number.check_character("43072519430904643")
HEADERS = ["证件号码", "车牌号", "车型", "登记日期", "购置价"]


def read(file: io.BytesIO, register: str = "vehicle", as_of: date = AS_OF):
    with open_register(file, register) as opened:
        return list(opened.rows(as_of))


def reasons(file: io.BytesIO, register: str = "vehicle"):
    return [(row.row.number, each.column, each.code) for row in read(file, register) for each in row.problems]


def test_the_header_is_found_by_itself_on_any_sheet_in_any_order_under_other_names():
    file = table(
        ["桃源县车管所 2019年10月"],
        ["购车价", "车辆类型", "备注", "公民身份号码"],
        ["100,763元", "小型轿车", "x", NUMBER],
        sheets=("说明", "数据"),
    )
    with open_register(file, "vehicle") as opened:
        (row,) = opened.rows(AS_OF)
        assert opened.unknown_columns == ("备注",)
    assert row.entry.number == NUMBER
    assert dict(row.entry.facts) == {"vehicle_type": "小型轿车", "price": 100763}


def test_full_width_figures_small_x_and_old_numbers_are_taken():
    old = NUMBER[:6] + NUMBER[8:17]
    person_x = made_number(
        "19900101", serial=next(n for n in range(490) if made_number("19900101", serial=n)[-1] == "X")
    )
    file = table(
        HEADERS[:3],
        ["".join(chr(ord(digit) + 0xFEE0) for digit in NUMBER), "湘J1", "小型轿车"],
        [f" {person_x.lower()} ", "湘J2", "小型轿车"],
        [old, "湘J3", "小型轿车"],
    )
    assert [row.entry.number for row in read(file)] == [NUMBER, person_x, id_number.to_18(old)]


def test_rows_are_refused_by_row_column_and_reason_and_the_rest_goes_in():
    file = table(
        HEADERS,
        [4.30725194309046e17, "湘J1", "小型轿车", "2018-03-11", 1],
        ["43072519430904643", "湘J2", "小型轿车", "2018-03-11", 1],
        [NUMBER[:17] + "A", "湘J3", "小型轿车", "2018-03-11", 1],
        [None, "湘J4", "小型轿车", "2018-03-11", 1],
        [NUMBER, "湘J5", None, "2018-13-11", -1],
        [NUMBER, "湘J6", f"车主{NUMBER}", "2019-11-01", "贵"],
        [NUMBER, "湘J7", "小型轿车", "2018-03-11", 1],
    )
    assert reasons(file) == [
        (2, "证件号码", "number-form"),
        (3, "证件号码", "id-length"),
        (4, "证件号码", "register-number"),
        (5, "证件号码", "cell-missing"),
        (6, "车型", "cell-missing"),
        (6, "登记日期", "number-form"),
        (6, "购置价", "number-form"),
        (7, "车型", "register-long-number"),
        (7, "登记日期", "date-after"),
        (7, "购置价", "number-form"),
    ]
    assert register_row_message("date-after", {"as_of": "2019-10-31"}) == "日期晚于数据日期2019-10-31"
    assert register_row_message("number-form", {"kind": "lost-digits"}).startswith("号码按数字存放")


def test_the_number_inside_a_disability_certificate_serves_and_must_fit():
    other = made_number("19800101")
    file = table(
        ["证件号码", "残疾证号", "残疾等级"],
        [None, NUMBER + "42B1", "二级"],
        [NUMBER, None, "二级"],
        [other, NUMBER + "42", "二级"],
        [NUMBER, NUMBER + "99", "二级"],
        [None, None, "二级"],
    )
    rows = read(file, "disability")
    assert [row.entry and row.entry.number for row in rows] == [NUMBER, NUMBER, None, None, None]
    assert reasons(file, "disability") == [
        (4, "残疾证号", "register-certificate-differs"),
        (5, "残疾证号", "register-certificate"),
        (6, "证件号码", "cell-missing"),
    ]


def test_a_csv_of_gbk_is_read_too():
    text = f"身份证号,死亡日期\r\n{NUMBER},2019.05.21\r\n".encode("gb18030")
    (row,) = read(io.BytesIO(text), "death")
    assert dict(row.entry.facts) == {"died_on": "2019-05-21"}


def test_refused_rows_come_back_as_they_were_with_their_reasons(tmp_path):
    file = table([*HEADERS, "备注"], [NUMBER, "湘J1", "小型轿车", None, 1, "好"], ["17", "湘J2", "=1+1", None, 1, "坏"])
    with open_register(file, "vehicle") as opened:
        write(tmp_path / "back.xlsx", [opened.returned({3: "证件号码：不对"})])
    sheet = openpyxl.load_workbook(tmp_path / "back.xlsx").active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == (*HEADERS, "备注", "退回原因")
    assert rows[1][0] == "17" and rows[1][5:] == ("坏", "证件号码：不对") and len(rows) == 2


HOSTILE = {
    "corner cells": (hostile.corner_cells, "workbook-dimensions"),
    "entities": (hostile.entities, "workbook-bomb"),
    "no header": (lambda: table(["说明"], ["请填写"]), "header-missing"),
    "another register": (lambda: table(["证件号码", "坐落", "登记日期"], [NUMBER, "x", None]), "columns-missing"),
    "no number": (lambda: table(["车型", "购置价"], ["小型轿车", 1]), "columns-missing"),
    "column twice": (lambda: table(["证件号码", "车型", "车辆类型"], [NUMBER, "x", "y"]), "column-twice"),
    "no sheet fits": (lambda: table(["说明", "说明"], sheets=("甲", "乙")), "header-missing"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_wrong_file_is_refused_with_its_code(name):
    make, code = HOSTILE[name]
    with pytest.raises(WorkbookRefused) as refused:
        open_register(make(), "vehicle", ReadLimits(seconds=10))
    assert refused.value.code == code


@pytest.mark.parametrize("register", REGISTERS)
def test_the_template_of_each_register_is_read_and_what_names_anything_is_sealed(register):
    page = template_page(register)
    assert list(page.headers) == [column.of.header for column in layout(register)]
    read_row = reader(register, {column: place for place, column in enumerate(layout(register))}, AS_OF)
    row = read_row(Row(2, list(next(iter(page.rows))), 0))
    assert row.problems == () and set(row.entry.details).isdisjoint(row.entry.facts)
    assert {"number", "certificate", "plate", "place", "unit", "company_name", "school"} & set(row.entry.facts) == set()


CELLS = st.one_of(st.none(), st.text(max_size=30), st.integers(), st.floats(), st.booleans(), st.just(NUMBER))


@given(register=st.sampled_from(list(REGISTERS)), cells=st.lists(CELLS, min_size=6, max_size=6))
@settings(max_examples=300, deadline=None)
def test_whatever_stands_in_a_row_it_is_an_entry_or_has_a_reason(register, cells):
    read_row = reader(register, {column: place for place, column in enumerate(layout(register))}, AS_OF)
    row = read_row(Row(2, cells, 0))
    assert (row.entry is None) == bool(row.problems)
    assert all(register_row_message(each.code, each.parameters) for each in row.problems)
    json.dumps(dict(row.entry.facts) if row.entry else {})


def test_every_layout_seals_its_number_and_has_each_column_once():
    for register in REGISTERS:
        names = [column.name for column in layout(register)]
        assert names[0] == "number" and len(names) == len(set(names))
        assert [column for column in layout(register) if column.of.is_personal and not column.sealed] == []
