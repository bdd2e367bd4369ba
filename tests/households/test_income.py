"""Net income by one strict method (docs/income.md)."""

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.domain import income

LINE_2019 = 321800


def card(**yuan: str | None) -> pd.DataFrame:
    """One card: every part of income zero but those given."""
    fen = {name: 0 for name in income.PARTS} | {
        name: None if amount is None else income.to_fen(amount) for name, amount in yuan.items()
    }
    return pd.DataFrame({name: pd.Series([amount], dtype="Int64") for name, amount in fen.items()})


def net_of(cards: pd.DataFrame) -> object:
    return income.income(cards)["net_income"].iloc[0]


WORKED = {
    "wage_income": "8000",
    "business_income": "6000",
    "dibao": "1200",
    "pension": "1300",
    "ecological_compensation": "300",
    "other_transfer": "50.50",
    "production_expenses": "2450.50",
}


def test_the_worked_example_of_the_docs():
    sums = income.income(card(**WORKED))
    assert sums["transfer_income"].tolist() == [285050]
    assert sums["net_income"].tolist() == [1440000]
    assert income.per_capita(1440000, 4) == 360000
    assert income.below(sums["net_income"], pd.Series([4]), LINE_2019).tolist() == [False]
    assert income.below(sums["net_income"], pd.Series([5]), LINE_2019).tolist() == [True]


def test_the_worksheet_lists_every_line_once_and_the_sums():
    values = {name: income.to_fen(WORKED.get(name, "0")) for name in income.PARTS}
    rows = income.explain_income(values)
    assert [row.fen for row in rows if row.sign == "="] == [285050, 1440000]
    assert [row.field for row in rows if row.sign == "-"] == ["production_expenses"]
    assert sum({"+": 1, "-": -1, "=": 0}[row.sign] * row.fen for row in rows[7:]) == 1440000


def test_the_worksheet_says_where_an_amount_is_unknown():
    rows = income.explain_income({name: None if name == "pension" else 0 for name in income.PARTS})
    assert [row.field for row in rows if row.fen is None] == [
        "pension",
        "transfer_income",
        "transfer_income",
        "net_income",
    ]


@pytest.mark.parametrize("name", income.PARTS)
def test_every_part_left_open_leaves_net_income_unknown(name):
    assert net_of(card(**{name: None})) is pd.NA


@pytest.mark.parametrize("name", [*income.EARNINGS, *income.TRANSFERS])
def test_every_income_adds_to_the_fen(name):
    assert net_of(card(**{name: "100.01"})) == 10001


def test_expenses_can_make_it_negative():
    assert net_of(card(business_income="10", production_expenses="30.5")) == -2050


def test_equal_to_the_line_is_not_below_and_a_fen_less_is():
    members = pd.Series([3, 3, 3])
    net = pd.Series([965400, 965399, 965401])
    assert income.below(net, members, LINE_2019).tolist() == [False, True, False]


def test_tenths_of_a_yuan_do_not_flip_a_household():
    ten_times = sum((income.to_fen("0.1") for _ in range(10)), start=0)
    assert income.below(pd.Series([ten_times]), pd.Series([1]), 100).tolist() == [False]
    assert sum(0.1 for _ in range(10)) < 1  # what floats would have said


def test_unknown_income_or_nobody_who_counts_is_neither_below_nor_above():
    net = pd.Series([None, 100, 100], dtype="Int64")
    members = pd.Series([1, None, 0], dtype="Int64")
    assert income.below(net, members, LINE_2019).isna().all()


def test_a_part_of_a_fen_is_refused():
    with pytest.raises(ValueError, match="fen"):
        income.to_fen("0.001")
    with pytest.raises(ValueError, match="wage_income"):
        income.income(card().astype("float64").assign(wage_income=0.5))


def test_per_capita_is_rounded_for_display_only():
    assert [income.per_capita(*pair) for pair in [(100, 3), (200, 3), (-200, 3), (1, 2)]] == [33, 67, -67, 1]
    assert income.to_yuan(12345) == Decimal("123.45")


amounts = st.one_of(st.none(), st.integers(0, 10**12))


@given(st.lists(st.fixed_dictionaries({name: amounts for name in income.PARTS}), min_size=1, max_size=8), st.data())
def test_a_frame_gives_what_its_rows_give(cards, data):
    frame = pd.DataFrame({name: pd.array([card[name] for card in cards], dtype="Int64") for name in income.PARTS})
    whole = income.income(frame)
    cut = data.draw(st.integers(0, len(cards)))
    chunks = pd.concat([income.income(frame.iloc[:cut]), income.income(frame.iloc[cut:])])
    singles = pd.concat([income.income(frame.iloc[[row]]) for row in range(len(cards))])
    pd.testing.assert_frame_equal(whole, chunks)
    pd.testing.assert_frame_equal(whole, singles)
