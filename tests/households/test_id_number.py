"""ID numbers and disability certificates."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import id_number

BORN = st.dates(date(1900, 1, 1), date(2026, 12, 31))
FIRST_SIX = st.sampled_from(["430725", "430702", "430771", "432426", "110101"])


@st.composite
def numbers(draw: st.DrawFn) -> str:
    first_17 = f"{draw(FIRST_SIX)}{draw(BORN):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first_17 + id_number.check_character(first_17)


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "440524188001010014", "430725194309046431", "430771198805120010"]
)
def test_a_right_number_holds_whatever_its_county_or_age(number):
    first_17 = number[:17]
    assert id_number.check(first_17 + id_number.check_character(first_17)) is None


def test_the_worked_example_of_the_standard_has_check_character_x():
    assert id_number.check_character("11010519491231002") == "X"
    assert id_number.check("11010519491231002X") is None


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("110105194912310021", "id-check-digit"),
        ("110105194902300029", "id-check-digit"),
        ("11010519491231002A", "id-check-digit"),
        ("1101051949X231002X", "id-check-digit"),
        ("11010519491231002", "id-length"),
        ("", "id-length"),
        ("1101054912310020", "id-length"),
        ("110105491231002", None),
        ("110105491331002", "id-check-digit"),
        ("11010549123100X", "id-check-digit"),
    ],
)
def test_a_wrong_number_is_named(number, problem):
    assert id_number.check(number) == problem


@pytest.mark.parametrize(
    "text",
    [
        " 11010519491231002x ",
        "\u300011010519491231002X",
        "１１０１０５１９４９１２３１００２ｘ",
        "110105 19491231 002x",
    ],
)
def test_blanks_full_width_and_small_x_are_tolerated(text):
    assert id_number.normalise(text) == "11010519491231002X"


def test_an_old_number_gets_its_long_form_and_is_kept():
    number = id_number.parse("110105491231002")
    assert number is not None
    assert (number.number, number.old) == ("11010519491231002X", "110105491231002")
    assert (number.birth_date, number.sex) == (date(1949, 12, 31), "女")


@given(numbers())
def test_every_number_built_by_the_standard_holds_and_tells_birth_and_sex(text):
    number = id_number.parse(text)
    assert number is not None
    assert f"{number.birth_date:%Y%m%d}" == text[6:14]
    assert (number.sex == "男") == (int(text[16]) % 2 == 1)


@given(numbers(), st.integers(0, 16), st.integers(1, 9))
def test_no_single_wrong_digit_goes_through(text, place, shift):
    """MOD 11-2 finds every single wrong digit."""
    wrong = text[:place] + str((int(text[place]) + shift) % 10) + text[place + 1 :]
    assert id_number.check(wrong) == "id-check-digit"


@given(st.text(max_size=30))
def test_no_text_breaks_the_check(text):
    assert id_number.check(id_number.normalise(text)) in {None, "id-length", "id-check-digit"}


def test_a_certificate_contains_number_category_and_grade():
    certificate = id_number.parse_certificate("11010519491231002x42")
    assert certificate is not None
    assert (certificate.id_number, certificate.category, certificate.grade) == ("11010519491231002X", 4, 2)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("11010519491231002X42B1", True),
        ("11010519491231002X82", False),
        ("11010519491231002X45", False),
        ("11010519491231002X4", False),
        ("11010519491231003X42", False),
        ("11010519491231002X42C1", False),
    ],
)
def test_a_certificate_of_wrong_form_is_found(text, holds):
    assert (id_number.parse_certificate(text) is not None) == holds
