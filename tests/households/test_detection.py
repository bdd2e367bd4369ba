"""The detectors on small frames made by hand: what each tells, what it does not, and what pure noise makes of it."""

import numpy as np
import pandas as pd
import pytest

from households.domain.detection import bunching, digits, income_model, kin, paper_split, typing_speed, village_rate
from households.domain.detection.many_tests import q_values

LINE = 3218.0


def test_q_values_are_those_of_benjamini_and_hochberg_and_leave_out_what_was_not_tested():
    # four tests: p x 4 / rank, never falling towards the larger
    found = q_values(np.array([0.01, np.nan, 0.04, 0.03, 0.5]))
    assert found == pytest.approx([0.04, np.nan, 0.16 / 3, 0.16 / 3, 0.5], nan_ok=True)


# -- incomes far below means ------------------------------


def county(households=400, seed=1):
    """Households that earn 3,000 yuan a month away and 500 yuan a mu, give or take a fifth."""
    rng = np.random.default_rng(seed)
    cards = pd.DataFrame(0.0, index=range(households), columns=list(income_model.MEANS))
    cards["members"], cards["village_id"] = 4, np.arange(households) % 8
    cards["months_outside"], cards["irrigated"] = rng.integers(2, 12, households), rng.integers(1, 9, households)
    means = 3000 * cards["months_outside"] + 500 * cards["irrigated"]
    cards["earned"] = means * np.exp(rng.normal(0, 0.2, households))
    cards["official"], cards["helped"] = 0.0, True
    return cards


NEED = income_model.Need(helped_below=1.5 * LINE, expected_from=1.2 * LINE)


def test_a_household_that_declares_a_tenth_of_what_its_means_suggest_is_told_with_its_means():
    cards = county()
    cards.loc[7, ["months_outside", "irrigated", "earned"]] = [11, 4, 3500]
    found = income_model.implausible(cards, income_model.fit(cards), NEED)
    assert found.loc[7, "score"] > 0.9
    assert found.loc[7, "expected"] == pytest.approx(11 * 3000 + 4 * 500, rel=0.15)
    assert found.loc[7, "parts"][0][:2] == ("months_outside", 11.0)
    assert found.index[found["score"] > 0.9].tolist() == [7]


def test_the_model_is_not_bent_by_a_tenth_that_declares_falsely():
    cards = county()
    means = 3000 * cards["months_outside"] + 500 * cards["irrigated"]
    cards.loc[::10, "earned"] *= 0.1
    expected = income_model.fit(cards).expected(cards)
    assert np.median(expected / means) == pytest.approx(1, abs=0.1)


def test_poor_means_are_no_lead_nor_is_who_gets_no_help_nor_a_county_of_few_cards():
    cards = county()
    cards.loc[7, ["months_outside", "irrigated", "earned"]] = [0, 1, 100]
    cards.loc[8, ["earned", "helped"]] = [1500, False]
    found = income_model.implausible(cards, income_model.fit(cards), NEED)
    assert not {7, 8} & set(found.index)
    assert income_model.fit(cards.head(income_model.LEAST - 1)) is None


# -- bunching, digits, typing ------------------------------


def incomes(units=60, each=120, seed=3):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), each)
    return rng.lognormal(np.log(2.2 * LINE), 0.8, units * each), unit


def test_pure_noise_bunches_nowhere():
    found = [bunching.bunching(*incomes(seed=seed), LINE) for seed in range(20)]
    assert sum((of["q"] <= bunching.RATE).any() for of in found) <= 2  # one in twenty is what the rate allows


def test_a_clerk_whose_cards_lie_just_below_is_found_and_who_has_as_many_above_is_not():
    per_capita, unit = incomes()
    per_capita[np.flatnonzero(unit == 5)[:14]] = np.linspace(0.93, 0.998, 14) * LINE
    honest = np.flatnonzero(unit == 6)
    per_capita[honest[:12]] = np.linspace(0.91, 1.09, 12) * LINE
    found = bunching.bunching(per_capita, unit, LINE)
    assert found["q"][5] < 0.01
    assert found["excess"][5] > 0.4
    assert found["q"][6] > 0.2
    assert bunching.in_window_below(np.array([0.95, 1.0, 0.85]) * LINE, LINE).tolist() == [True, False, False]


def amounts(seed=5, clerks=30, each=150):
    rng = np.random.default_rng(seed)
    return rng.integers(500, 40_000, clerks * each).astype(float), np.repeat(np.arange(clerks), each)


def test_round_figures_of_one_clerk_are_found_and_last_digits_by_chance_are_not():
    figures, unit = amounts()
    assert not digits.preference(digits.digit_class(figures), unit, 30)["found"].any()
    mine = unit == 4
    figures[mine] = np.round(figures[mine], -2)
    found = digits.preference(digits.digit_class(figures), unit, 30)
    assert np.flatnonzero(found["found"]).tolist() == [4]
    assert set(found["preferred"][4]) <= {10, 11}
    assert digits.digit_class(np.array([3000.0, 300.0, 317.0, 0.0, np.nan])).tolist() == [11, 10, 7, -1, -1]


def sessions(seed=6, clerks=20, each=60):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(clerks), each)
    steps = 90 + rng.lognormal(6, 0.6, clerks * each)
    return steps, unit


def test_twenty_cards_in_ten_minutes_are_found_and_a_file_read_in_at_once_is_not():
    steps, unit = sessions()
    hurried = np.flatnonzero(unit == 2)[20:45]
    steps[hurried] = 25
    steps[unit == 3] = 0  # one second for all
    members, at = np.full(len(unit), 3), np.cumsum(steps)
    since = typing_speed.gaps(at, unit)
    found = typing_speed.fast(since, members, unit, 20)
    assert np.flatnonzero(found["found"]).tolist() == [2]
    told = typing_speed.in_runs(at, unit, typing_speed.is_short(since, members))
    assert set(np.flatnonzero(told)) == set(hurried)


# -- paper splits, ties, villages ------------------------------


def cards_of(*rows):
    plain = {
        "village_id": 1, "phone": pd.NA, "account": pd.NA, "address": pd.NA, "surname": "李", "split_from": pd.NA,
        "split_days": pd.NA, "house_area": np.nan, "road_distance": np.nan, "head_age": 40, "able": 2,
        "per_capita": 3 * LINE, "helped": False,
    }  # fmt: skip
    frame = pd.DataFrame([{**plain, "household_id": number, **row} for number, row in enumerate(rows, 1)])
    return frame.astype({name: "Int64" for name in ("phone", "account", "address", "split_from", "split_days")})


OLD = {"head_age": 70, "able": 0, "per_capita": 0.8 * LINE, "helped": True}


def test_old_parents_split_from_their_son_with_his_account_are_told():
    cards = cards_of({"account": 9}, {**OLD, "account": 9, "split_from": 1, "split_days": 20})
    found = paper_split.paper_splits(cards, LINE)
    assert found["household_id"].tolist() == [2]
    assert found["score"].iloc[0] > 0.9
    assert {"split", "split_before_year_end", "account", "parent_and_child"} <= set(found["evidence"].iloc[0])


def test_a_phone_alone_a_phone_of_many_and_a_split_of_two_who_both_work_are_not():
    only_phone = cards_of({"phone": 5, "surname": "王"}, {**OLD, "phone": 5, "surname": "张"})
    of_many = cards_of(*[{"phone": 5}] * 6, {**OLD, "phone": 5})
    both_work = cards_of({}, {"split_from": 1, "helped": True})
    for cards in (only_phone, of_many, both_work):
        assert paper_split.paper_splits(cards, LINE).empty


def test_a_tie_to_a_cadre_weighs_more_the_less_poor_the_means_look():
    rule = pd.Series(["kin_declared"] * 3)
    poor, rich, owner = kin.kin_scores(rule, np.array([0.6, 3.0, 0.6]), np.array([False, False, True]))
    assert poor < 0.3 < owner < rich


def test_one_village_that_helps_three_times_as_many_is_found_and_noise_is_not():
    rng = np.random.default_rng(8)
    village, condition = np.repeat(np.arange(20), 120), rng.normal(size=2400)
    helped = (rng.random(2400) < 1 / (1 + np.exp(2.8 - condition))).astype(float)
    chance = village_rate.helped_chance(condition[:, None], helped)
    assert chance.sum() == pytest.approx(helped.sum(), rel=0.01)
    assert (village_rate.village_rates(chance, helped, village)["q"] > village_rate.RATE).all()
    helped[np.flatnonzero(village == 3)[:40]] = 1
    chance = village_rate.helped_chance(condition[:, None], helped)
    rates = village_rate.village_rates(chance, helped, village)
    assert np.flatnonzero(rates["q"] <= village_rate.RATE).tolist() == [3]
    told = village_rate.surplus(rates, chance, helped, village)
    assert set(village[told > 0]) == {3}


def test_villages_that_favor_do_not_hide_one_another():
    """Three of ten villages with twice what is expected: neither the level nor the spread may be taken from them."""
    cards, helped = np.full(10, 150), np.array([9, 12, 7, 10, 11, 8, 13, 27, 30, 28])
    village, chance = np.repeat(np.arange(10), cards), np.full(1500, helped.sum() / 1500)
    is_helped = np.concatenate([np.arange(150) < count for count in helped]).astype(float)
    rates = village_rate.village_rates(chance, is_helped, village)
    assert np.flatnonzero(rates["q"] <= village_rate.RATE).tolist() == [7, 8, 9]
    assert rates["expected"].iloc[0] == pytest.approx(11, abs=1.5)
