"""Area measures against published worked examples."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain.index import alkire_foster, fgt

QUARTERS = {"income": 0.25, "schooling": 0.25, "nutrition": 0.25, "sanitation": 0.25}


def four_persons() -> pd.DataFrame:
    """Alkire, Foster, Seth, Santos, Roche and Ballon (2015), Multidimensional Poverty Measurement and Analysis,
    chapter 5 (OPHI Working Paper 86): four persons, four equally weighted dimensions, k = 2/4."""
    return pd.DataFrame([[0, 0, 0, 0], [1, 0, 0, 1], [1, 1, 1, 1], [0, 1, 0, 0]], columns=list(QUARTERS))


def test_four_persons_of_the_ophi_textbook():
    result = alkire_foster(four_persons(), QUARTERS, 0.5)
    assert pytest.approx((1 / 2, 3 / 4, 3 / 8)) == (result.H, result.A, result.M0)
    assert result.censored.to_dict() == pytest.approx(
        {"income": 0.5, "schooling": 0.25, "nutrition": 0.25, "sanitation": 0.5}
    )
    assert result.contributions.to_dict() == pytest.approx(
        {"income": 1 / 3, "schooling": 1 / 6, "nutrition": 1 / 6, "sanitation": 1 / 3}
    )


HUMAN_DEVELOPMENT = {
    **{"schooling": 1 / 6, "enrolment": 1 / 6, "nutrition": 1 / 6, "mortality": 1 / 6},
    **{name: 1 / 18 for name in ("electricity", "water", "sanitation", "floor", "fuel", "assets")},
}


def test_four_households_of_the_human_development_report():
    """UNDP, Human Development Report 2015, Technical note 5, "Example using hypothetical data": households of 4, 7, 5
    and 4 persons with scores 22.2, 72.2, 38.9 and 50.0 %; H 0.800, A 0.563, MPI 0.450; education 33.3 %, health 29.6 %,
    living standards 37.0 %."""
    deprivations = pd.DataFrame(
        {
            "schooling": [0, 1, 0, 1],
            "enrolment": [0, 1, 0, 0],
            "nutrition": [0, 0, 1, 0],
            "mortality": [1, 1, 0, 1],
            "electricity": [0, 1, 1, 1],
            "water": [0, 0, 1, 0],
            "sanitation": [0, 1, 1, 0],
            "floor": [0, 0, 0, 0],
            "fuel": [1, 1, 1, 1],
            "assets": [0, 1, 0, 1],
        }
    )
    result = alkire_foster(deprivations, HUMAN_DEVELOPMENT, 1 / 3, persons=pd.Series([4, 7, 5, 4]))
    assert pytest.approx((0.8, 0.5625, 0.45)) == (result.H, result.A, result.M0)
    parts = result.contributions
    assert parts[["schooling", "enrolment"]].sum() == pytest.approx(0.333, abs=5e-4)
    assert parts[["nutrition", "mortality"]].sum() == pytest.approx(0.296, abs=5e-4)
    assert parts[4:].sum() == pytest.approx(0.370, abs=5e-4)
    assert parts.sum() == pytest.approx(1)


def test_nobody_poor_gives_zeros():
    result = alkire_foster(four_persons().iloc[[0]], QUARTERS, 0.5)
    assert (result.H, result.A, result.M0) == (0, 0, 0)
    assert result.contributions.tolist() == [0, 0, 0, 0]
    assert result.censored.tolist() == [0, 0, 0, 0]


def test_an_area_without_anybody_gives_zeros():
    result = alkire_foster(four_persons().iloc[:0], QUARTERS, 0.5)
    assert (result.H, result.A, result.M0) == (0, 0, 0)
    assert alkire_foster(four_persons(), QUARTERS, 0.5, persons=pd.Series([0, 0, 0, 0])).H == 0


def test_a_score_of_exactly_the_cutoff_is_poor_even_where_binary_says_a_little_less():
    tenths = {name: 0.1 for name in "abcdefghij"}
    frame = pd.DataFrame([[1] * 3 + [0] * 7], columns=list(tenths))
    assert alkire_foster(frame, tenths, 0.3).H == 1
    assert alkire_foster(frame, tenths, 0.3 + 9e-7).H == 1
    assert alkire_foster(frame, tenths, 0.3 + 2e-6).H == 0


def test_weights_near_one_are_normalised():
    near = QUARTERS | {"income": 0.2509}
    assert alkire_foster(four_persons(), near, 0.5).contributions.sum() == pytest.approx(1)
    all_deprived = pd.DataFrame([[1, 1, 1, 1]], columns=list(near))
    assert pytest.approx(1) == alkire_foster(all_deprived, near, 1).A


@pytest.mark.parametrize(
    "weights",
    [
        QUARTERS | {"income": 0.2511},
        QUARTERS | {"income": 0.2489},
        QUARTERS | {"income": float("nan")},
        QUARTERS | {"income": -0.25, "schooling": 0.75},
        {"income": 1.0},
        QUARTERS | {"assets": 0.0},
    ],
)
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        alkire_foster(four_persons(), weights, 0.5)


@pytest.mark.parametrize("value", [np.nan, None, 2, 0.5, -1])
def test_anything_but_0_and_1_is_refused(value):
    frame = four_persons().astype("float64")
    frame.loc[1, "income"] = value
    with pytest.raises(ValueError, match="deprivation"):
        alkire_foster(frame, QUARTERS, 0.5)


@pytest.mark.parametrize("persons", [[1, 2, None, 4], [1, 2, -3, 4], [1, 2, 3], [1, 2, float("inf"), 4]])
def test_persons_that_are_none_are_refused(persons):
    with pytest.raises(ValueError, match="persons|households"):
        alkire_foster(four_persons(), QUARTERS, 0.5, persons=pd.Series(persons))


@pytest.mark.parametrize("cutoff", [-0.1, 1.1, float("nan")])
def test_a_cutoff_outside_0_and_1_is_refused(cutoff):
    with pytest.raises(ValueError, match="cutoff"):
        alkire_foster(four_persons(), QUARTERS, cutoff)


def test_persons_are_matched_to_households_by_name_not_by_place():
    frame = four_persons().set_axis(["a", "b", "c", "d"])
    shuffled = pd.Series({"d": 4, "c": 5, "b": 7, "a": 4})
    assert pytest.approx(12 / 20) == alkire_foster(frame, QUARTERS, 0.5, persons=shuffled).H


areas = st.lists(st.tuples(*[st.integers(0, 1)] * 4, st.integers(0, 9)), min_size=1, max_size=12)


@given(areas, st.sampled_from([0.25, 0.5, 0.75, 1.0]))
def test_m0_is_h_times_a_and_the_weighted_sum_of_censored_headcounts(rows, cutoff):
    frame = pd.DataFrame([row[:4] for row in rows], columns=list(QUARTERS))
    result = alkire_foster(frame, QUARTERS, cutoff, persons=pd.Series([row[4] for row in rows]))
    assert pytest.approx(result.H * result.A) == result.M0
    assert pytest.approx(sum(QUARTERS[name] * result.censored[name] for name in QUARTERS)) == result.M0
    assert result.contributions.sum() == pytest.approx(1 if result.M0 else 0)


def test_foster_greer_thorbecke_by_hand():
    """Consumption of 100, 110, 150 and 160 against a line of 125: World Bank, Handbook on Poverty and Inequality
    (Haughton and Khandker 2009), chapter 4: poverty gap index 0.08, squared 0.0136."""
    assert fgt(pd.Series([100, 110, 150, 160]), 125) == pytest.approx((0.5, 0.08, 0.0136))


def test_equal_to_the_line_is_not_below_it():
    assert fgt(pd.Series([3218, 3217.99]), 3218).headcount == 0.5


def test_the_gap_of_a_negative_income_is_not_capped():
    result = fgt(pd.Series([-1000, 5000]), 1000, pd.Series([1, 3]))
    assert result == pytest.approx((0.25, 0.5, 1.0))


def test_a_line_of_its_own_for_each_household():
    household = fgt(pd.Series([6000, 9000]), pd.Series([6436, 9654]), pd.Series([2, 3]))
    per_head = fgt(pd.Series([3000.0, 3000.0]), 3218, pd.Series([2, 3]))
    assert household == pytest.approx(per_head)


def test_nobody_there_or_nobody_poor_gives_zeros():
    assert fgt(pd.Series([], dtype=float), 1000) == (0, 0, 0)
    assert fgt(pd.Series([1000, 2000]), 1000) == (0, 0, 0)


@pytest.mark.parametrize(
    ("income", "line", "persons"),
    [
        (pd.Series([1, None]), 10, None),
        (pd.Series([1, 2]), float("nan"), None),
        (pd.Series([1, 2]), 0, None),
        (pd.Series([1, 2]), pd.Series([10, None]), None),
        (pd.Series([1, 2]), 10, pd.Series([1, None])),
        (pd.Series([1, 2]), 10, pd.Series([1])),
        (pd.Series([1, 2]), pd.Series([10]), None),
    ],
)
def test_unknown_values_are_refused(income, line, persons):
    with pytest.raises(ValueError, match="unknown|positive|different"):
        fgt(income, line, persons)


def test_plain_lists_and_dictionaries_do_as_well():
    deprived = {"health": [1, 0, 1], "school": [0, 0, 1]}
    weights = {"health": 0.5, "school": 0.5}
    plain = alkire_foster(deprived, weights, 0.5, [2, 1, 1])
    typed = alkire_foster(pd.DataFrame(deprived), pd.Series(weights), 0.5, pd.Series([2, 1, 1]))
    assert (plain.H, plain.A, plain.M0) == (typed.H, typed.A, typed.M0) == (0.75, 2 / 3, 0.5)
    assert plain.contributions.to_dict() == {"health": 0.75, "school": 0.25}
    assert fgt([50, 200], [100, 100], [1, 3]) == fgt(pd.Series([50, 200]), 100, pd.Series([1, 3]))
