"""The form's registry and the one converter of cells."""

import dataclasses
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import fields
from households.domain.card import HouseholdFacts, Member, SheetFacts, member_from
from households.domain.fields import CARD_FIELDS, VILLAGE_FIELDS, by_attribute, by_code, by_header
from households.domain.values import DEFAULT_LENGTH, LENGTHS, SHIFT_1904, Bad, MonthOnly, masked, parse
from households.models import Household, MemberSheet, Person, Sheet, VillageCard

NAME = by_attribute("person", "name")
SEX = by_attribute("person", "sex")
ID = by_attribute("person", "id_number")
BIRTH = by_attribute("person", "birth_date")
WAGE = by_attribute("sheet", "wage_income")
LAND = by_attribute("sheet", "cultivated_land")
ROAD = by_attribute("sheet", "road_distance")
PIGS = by_attribute("sheet", "pigs")
MONTHS = by_attribute("member_sheet", "work_months")
YEAR = by_attribute("sheet", "year")
WATER = by_attribute("sheet", "water_safe")
ATTRIBUTE = by_attribute("sheet", "attribute")
HEALTH = by_attribute("member_sheet", "health")
PHONE = by_attribute("household", "phone")
VILLAGE = by_attribute("household", "village_code")
ENTERED = by_attribute("sheet", "entered_at")


# -- registry ----------------------------------------------------------------------------------------------------------


def test_the_typed_card_has_exactly_the_attributes_of_the_form():
    def names(*entities: str) -> set[str]:
        return {field.attribute for entity in entities for field in fields.of_entity(entity)}

    def of(facts: type) -> set[str]:
        return {each.name for each in dataclasses.fields(facts)}

    joining = {"city_name", "county_name", "township_name", "village_name", "head_name", "head_id_number"}
    assert of(HouseholdFacts) == names("household") | joining
    assert of(SheetFacts) == names("sheet")
    assert of(Member) == names("person", "membership", "member_sheet") | {"old_id_number"}


def test_a_field_is_found_by_header_attribute_and_national_code():
    assert by_header("户信息", "工资性收入") is WAGE
    assert by_header("户信息", " 县（市、区） ").attribute == "county_name"
    assert by_header("人信息", "AAB004") is ID
    assert by_header("户信息", "从没见过") is None
    assert [field.sheet for field in by_code("aac001")] == ["户信息", "人信息"]


def test_a_header_means_one_column_of_its_sheet():
    headers = [(field.sheet, field.header) for field in CARD_FIELDS]
    assert len(headers) == len(set(headers))


@pytest.mark.parametrize(
    ("entity", "model"),
    [("household", Household), ("person", Person), ("sheet", Sheet), ("member_sheet", MemberSheet)],
)
def test_a_text_that_is_taken_fits_its_column(entity, model):
    columns = {column.name: column for column in model._meta.get_fields()}
    texts = [field for field in fields.of_entity(entity) if field.type == "text" and field.attribute in columns]
    assert texts
    assert all(
        LENGTHS.get((entity, field.attribute), DEFAULT_LENGTH) <= columns[field.attribute].max_length for field in texts
    )


@pytest.mark.parametrize(
    ("entity", "model"), [("sheet", Sheet), ("member_sheet", MemberSheet), ("village_card", VillageCard)]
)
def test_every_allowed_value_fits_its_column(entity, model):
    enums = [field for field in fields.of_entity(entity) if field.type == "enum"]
    assert all(max(map(len, field.values)) <= model._meta.get_field(field.attribute).max_length for field in enums)


# -- tolerated ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        (NAME, " 郭超德\u3000", "郭超德"),
        (NAME, "张\u3000三", "张三"),
        (NAME, "迪丽 Nur", "迪丽 Nur"),
        (SEX, "男性", "男"),
        (SEX, " 女 ", "女"),
        (ID, " 43072519540706518x ", "43072519540706518X"),
        (ID, "４３０７２５１９４３０９０４６４３１", "430725194309046431"),
        (ID, 430725430904643, "430725430904643"),
        (WAGE, "6,683.53", Decimal("6683.53")),
        (WAGE, "１，２００元", Decimal("1200.00")),
        (WAGE, "¥0.00", Decimal("0.00")),
        (WAGE, 9895.1, Decimal("9895.10")),
        (WAGE, 0.1 + 0.2, Decimal("0.30")),
        (WAGE, 3440.2566666, Decimal("3440.26")),
        (WAGE, -5, Decimal("-5.00")),
        (WAGE, ".5", Decimal("0.50")),
        (LAND, "5.3亩", Decimal("5.30")),
        (LAND, -3, Decimal("-3.00")),
        (PIGS, "3头", 3),
        (PIGS, 4.0, 4),
        (MONTHS, "8个月", 8),
        (YEAR, "2019年度", 2019),
        (YEAR, 2019.0, 2019),
        (WATER, "√", True),
        (WATER, False, False),
        (ATTRIBUTE, "特困户", "五保户"),
        (ATTRIBUTE, "五保户", "五保户"),
        (HEALTH, "残疾，患有大病", ("残疾", "患有大病")),
        (HEALTH, ["健康"], ("健康",)),
        (PHONE, "１３０５７６２１６０６", "13057621606"),
        (PHONE, 13057621606.0, "13057621606"),
        (PHONE, "+86 130 5762 1606", "13057621606"),
        (VILLAGE, "430725103202", 430725103202),
        (VILLAGE, 430725103202.0, 430725103202),
        (by_attribute("person", "ethnicity"), "土家", "土家族"),
        (by_attribute("sheet", "house_grade"), "c级", "C级"),
    ],
)
def test_dirt_that_loses_nothing_is_tolerated(field, raw, value):
    assert parse(field, raw) == value


@pytest.mark.parametrize("raw", ["", "  ", "\u3000", "无", "—", "--", "/", "空", "N/A", None])
@pytest.mark.parametrize("field", [NAME, SEX, ID, BIRTH, WAGE, PIGS, WATER, PHONE])
def test_words_for_empty_are_unknown_and_never_zero(field, raw):
    assert parse(field, raw) is None


def test_nothing_is_a_value_where_the_list_says_so():
    assert parse(by_attribute("person", "id_kind"), "无") == "无"
    assert parse(by_attribute("village_card", "disasters"), "无") == ("无",)
    assert parse(HEALTH, "无") == ()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1968-09-25", date(1968, 9, 25)),
        ("1968.09.25", date(1968, 9, 25)),
        ("1968/9/5", date(1968, 9, 5)),
        ("19680925", date(1968, 9, 25)),
        (19680925, date(1968, 9, 25)),
        ("1968年9月25日", date(1968, 9, 25)),
        ("1968-09-25 00:00:00", date(1968, 9, 25)),
        ("1968-09-25T00:00:00", date(1968, 9, 25)),
        (datetime(1968, 9, 25, 8, 30), date(1968, 9, 25)),
        (25106, date(1968, 9, 25)),
        (25106.4, date(1968, 9, 25)),
        ("1968.09", MonthOnly(1968, 9, 1)),
        ("196809", MonthOnly(1968, 9, 1)),
        (1968.09, MonthOnly(1968, 9, 1)),
        ("1968年9月", MonthOnly(1968, 9, 1)),
    ],
)
def test_a_date_is_read_however_it_is_written(raw, value):
    assert parse(BIRTH, raw) == value
    assert type(parse(BIRTH, raw)) is type(value)


@given(st.dates(date(1910, 1, 1), date(2099, 12, 31)))
def test_excel_serials_count_days_from_1900_or_1904(day):
    serial = (day - date(1899, 12, 30)).days
    assert parse(BIRTH, serial) == day
    assert parse(BIRTH, serial - SHIFT_1904, serial_shift=SHIFT_1904) == day or serial - SHIFT_1904 <= 2100


def test_a_time_is_local_and_without_seconds_of_its_own():
    assert parse(ENTERED, "2019-10-21 10:01") == datetime(2019, 10, 21, 10, 1)
    assert parse(ENTERED, 43759.5) == datetime(2019, 10, 21, 12, 0)
    assert parse(ENTERED, "2019-10-21") == datetime(2019, 10, 21)
    assert isinstance(parse(ENTERED, "2019-10-21 25:01"), Bad)


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "raw", "check_id", "kind"),
    [
        (ID, 4.30725194309046e17, "number-form", "lost-digits"),
        (ID, 430725194309046431, "number-form", "lost-digits"),
        (ID, "4.30725E+17", "number-form", "lost-digits"),
        (by_attribute("household", "number"), 4.307251032020e16, "number-form", "lost-digits"),
        (by_attribute("household", "bank_account"), 6.2e18, "number-form", "lost-digits"),
        (WAGE, "约5000", "number-form", "figure"),
        (WAGE, "1.2万", "number-form", "figure"),
        (WAGE, "1,23", "number-form", "figure"),
        (WAGE, True, "number-form", "figure"),
        (WAGE, float("nan"), "number-form", "error"),
        (WAGE, "#DIV/0!", "number-form", "error"),
        (WAGE, 1e15, "number-form", "large"),
        (ROAD, -1, "number-form", "negative"),
        (PIGS, 2.5, "number-form", "whole"),
        (PIGS, -2, "number-form", "negative"),
        (YEAR, "19", "number-form", "year"),
        (YEAR, 2019.5, "number-form", "year"),
        (BIRTH, 2019.1, "number-form", "date"),
        (BIRTH, "1968-02-30", "number-form", "date"),
        (BIRTH, 1968, "number-form", "date"),
        (BIRTH, "1068-09-25", "number-form", "date"),
        (VILLAGE, "凤鸣村", "number-form", "code"),
        (SEX, "不详", "value-list", None),
        (WATER, "大概", "value-list", None),
        (HEALTH, "健康、神采奕奕", "value-list", None),
        (NAME, "长" * 61, "text-long", None),
    ],
)
def test_a_cell_whose_truth_is_lost_is_refused(field, raw, check_id, kind):
    bad = parse(field, raw)
    assert isinstance(bad, Bad)
    assert (bad.check_id, bad.parameters.get("kind")) == (check_id, kind)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=50),
    st.datetimes(),
    st.dates(),
    st.decimals(),
)


@given(st.sampled_from(CARD_FIELDS + VILLAGE_FIELDS), ANYTHING)
def test_no_cell_breaks_the_converter(field, raw):
    value = parse(field, raw)
    assert isinstance(value, (Bad, str, int, Decimal, date, tuple)) or value is None


@given(st.sampled_from(CARD_FIELDS + VILLAGE_FIELDS), ANYTHING)
def test_what_was_read_reads_the_same_again(field, raw):
    value = parse(field, raw)
    again = parse(field, value) if not isinstance(value, (Bad, MonthOnly)) else value
    assert again == value


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_money_survives_its_written_forms(amount):
    assert parse(WAGE, f"{amount:,}") == parse(WAGE, str(amount)) == amount


@given(st.text(max_size=40))
def test_text_holds_no_control_characters_and_no_blanks_around(text):
    value = parse(by_attribute("sheet", "request"), text)
    assert value is None or isinstance(value, Bad) or (value == value.strip() and value.isprintable())


def test_what_a_message_quotes_holds_no_whole_number_of_a_person():
    assert masked(ID, "430725194309046431") == "43**************31"
    assert masked(NAME, "430725194309046431") == "43**************31"
    assert masked(by_attribute("sheet", "request"), "电话13057621606找我") == "电话13*******06找我"


# -- members -----------------------------------------------------------------------------------------------------------


def test_the_number_fills_birth_date_sex_and_long_form():
    member = member_from({"name": "张三", "id_number": "110105491231002"})
    assert (member.id_number, member.old_id_number) == ("11010519491231002X", "110105491231002")
    assert (member.birth_date, member.sex) == (date(1949, 12, 31), "女")


def test_a_month_takes_the_day_of_the_number_only_where_they_agree():
    number = "11010519491231002X"
    assert member_from({"id_number": number, "birth_date": MonthOnly(1949, 12, 1)}).birth_date == date(1949, 12, 31)
    assert member_from({"id_number": number, "birth_date": MonthOnly(1949, 11, 1)}).birth_date == date(1949, 11, 1)
    assert type(member_from({"birth_date": MonthOnly(1949, 11, 1)}).birth_date) is date


def test_a_wrong_number_fills_nothing():
    member = member_from({"id_number": "110105194912310021"})
    assert (member.birth_date, member.sex, member.old_id_number) == (None, None, None)


@pytest.mark.parametrize(
    ("birth", "age"),
    [(date(2003, 9, 30), 16), (date(2003, 10, 1), 15), (date(2019, 10, 1), -1), (date(2004, 2, 29), 15), (None, None)],
)
def test_age_is_taken_on_the_last_day_of_the_accounting_year(birth, age):
    assert Member(birth_date=birth).age_in(2019) == age
