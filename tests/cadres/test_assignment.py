"""The solver against exhaustive search, an independent LP and greedy choice. No database."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cadres.domain import assignment
from cadres.domain.assignment import FORBIDDEN, Problem, Quota, Solution, solve

Matrix = list[list[int | None]]


def problem_of(matrix: Matrix, priority: list[bool], quotas: tuple[Quota, ...] = ()) -> Problem:
    gains = np.array(
        [[FORBIDDEN if gain is None else gain for gain in row] for row in matrix],
        dtype=np.int64,
    )
    return Problem(
        len(matrix),
        gains.shape[1],
        lambda first, last: gains[first:last],
        np.array(priority),
        quotas,
    )


def every_filling(matrix: Matrix, quotas: tuple[Quota, ...]) -> Iterator[tuple[int, ...]]:
    columns = range(-1, len(matrix[0]))
    for chosen in itertools.product(columns, repeat=len(matrix)):
        used = [column for column in chosen if column >= 0]
        distinct = len(used) == len(set(used))
        allowed = all(column < 0 or matrix[row][column] is not None for row, column in enumerate(chosen))
        within = all(len(set(used) & set(quota.columns)) <= quota.most for quota in quotas)
        if distinct and allowed and within:
            yield chosen


def value(chosen: tuple[int, ...], matrix: Matrix, priority: list[bool]) -> tuple[int, int, int]:
    filled = [(row, column) for row, column in enumerate(chosen) if column >= 0]
    gains = sum(matrix[row][column] or 0 for row, column in filled)
    return sum(priority[row] for row, _ in filled), len(filled), gains


def levels(solution: Solution) -> tuple[int, int, int]:
    return solution.priority_filled, solution.filled, solution.objective


@st.composite
def instances(draw: st.DrawFn) -> tuple[Matrix, list[bool], tuple[Quota, ...]]:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    # few distinct values: ties are the rule, as between cadres of the same unit
    gain = st.one_of(st.none(), st.integers(-1, 3), st.integers(-100, 1000))
    matrix = draw(
        st.lists(
            st.lists(gain, min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
    priority = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
    group_of = draw(st.lists(st.integers(0, 2), min_size=columns, max_size=columns))
    quotas = tuple(
        Quota(
            tuple(column for column in range(columns) if group_of[column] == group),
            draw(st.integers(0, 3)),
        )
        for group in (1, 2)
    )
    return matrix, priority, quotas


@settings(max_examples=300, deadline=None)
@given(instances())
def test_it_finds_what_exhaustive_search_finds_and_proves_it(instance: tuple) -> None:
    matrix, priority, quotas = instance
    best = max(value(chosen, matrix, priority) for chosen in every_filling(matrix, quotas))
    solution = solve(problem_of(matrix, priority, quotas))
    assert levels(solution) == best
    assert value(tuple(solution.column_of.tolist()), matrix, priority) == best
    assert tuple(solution.column_of.tolist()) in set(every_filling(matrix, quotas))
    assert solution.gap == 0


@settings(max_examples=60, deadline=None)
@given(instances(), st.data())
def test_any_prices_bound_every_filling_from_above(instance: tuple, data: st.DataObject) -> None:
    matrix, priority, quotas = instance
    graph = assignment._Graph(problem_of(matrix, priority, quotas))
    prices = np.array(
        data.draw(st.lists(st.integers(0, 5000), min_size=graph.columns, max_size=graph.columns)),
        dtype=np.int64,
    )
    bound, _ = graph.price_out(prices)
    best = max(value(chosen, matrix, priority) for chosen in every_filling(matrix, quotas))
    assert bound >= best[0] * graph.weight + best[1] * graph.weight + best[2]


def test_column_generation_ends_at_the_same_proven_optimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(7)
    gains = random.integers(0, 1000, size=(30, 45)).astype(np.int64)
    gains[random.random(gains.shape) < 0.2] = FORBIDDEN
    gains[:, :5] = np.where(gains[:, :5] == FORBIDDEN, FORBIDDEN, gains[:, :5] + 5000)  # everybody wants these five
    quotas = (Quota(tuple(range(10)), 6),)
    whole = Problem(30, 45, lambda first, last: gains[first:last], np.arange(30) < 8, quotas)
    complete = solve(whole)
    monkeypatch.setattr(assignment, "_COMPLETE_PAIRS", 0)
    monkeypatch.setattr(assignment, "_FIRST_PER_ROW", 2)
    monkeypatch.setattr(assignment, "_ADDED_PER_ROW", 1)
    monkeypatch.setattr(assignment, "_BLOCK_PAIRS", 45 * 7)
    grown = solve(whole)
    assert levels(grown) == levels(complete)
    assert (complete.gap, grown.gap, complete.rounds) == (0, 0, 1)
    assert grown.rounds > 1


@pytest.mark.parametrize("seed", range(5))
def test_an_independent_linear_programme_agrees(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, columns = 18, 25
    gains = random.integers(0, 10**9, size=(rows, columns)).astype(np.int64)
    gains[random.random(gains.shape) < 0.4] = FORBIDDEN
    quota = Quota(tuple(range(0, columns, 2)), 5)
    solution = solve(Problem(rows, columns, lambda a, b: gains[a:b], np.zeros(rows, dtype=bool), (quota,)))
    pairs = np.argwhere(gains != FORBIDDEN)
    one_a_row = np.equal.outer(np.arange(rows), pairs[:, 0]).astype(float)
    one_a_column = np.equal.outer(np.arange(columns), pairs[:, 1]).astype(float)
    in_quota = np.isin(pairs[:, 1], quota.columns)[None, :].astype(float)
    upper = np.r_[np.ones(rows + columns), quota.most]
    earning = 1000 + gains[tuple(pairs.T)] / 10**9
    lp = linprog(
        -earning,
        A_ub=np.vstack([one_a_row, one_a_column, in_quota]),
        b_ub=upper,
        bounds=(0, 1),
    )
    assert -lp.fun == pytest.approx(1000 * solution.filled + solution.objective / 10**9, abs=1e-6)


def test_greedy_choice_is_worse_on_the_worked_instance() -> None:
    matrix: Matrix = [[90, 80], [85, 10]]
    solution = solve(problem_of(matrix, [False, False]))
    assert (solution.column_of.tolist(), solution.objective) == ([1, 0], 165)
    assert solution.objective > 90 + 10


def test_greedy_choice_leaves_a_post_empty_that_can_be_filled() -> None:
    matrix: Matrix = [[90, 80], [85, None]]
    solution = solve(problem_of(matrix, [False, False]))
    assert (solution.filled, solution.objective) == (2, 165)


def test_a_priority_post_is_filled_before_a_better_fitting_one() -> None:
    matrix: Matrix = [[10], [900]]
    assert solve(problem_of(matrix, [True, False])).column_of.tolist() == [0, -1]


def test_more_posts_filled_count_more_than_fit_but_less_than_priority() -> None:
    # column 0 fills the priority row badly; without it the two others would fit splendidly
    matrix: Matrix = [[0, None], [1000, None], [None, 5]]
    assert levels(solve(problem_of(matrix, [True, False, False]))) == (1, 2, 5)


def test_a_quota_keeps_the_third_cadre_of_a_unit_at_home() -> None:
    matrix: Matrix = [[9, 8, 7, 1]] * 3
    solution = solve(problem_of(matrix, [False] * 3, (Quota((0, 1, 2), 2),)))
    assert levels(solution) == (0, 3, 18)


def test_nothing_to_fill_and_nobody_to_post_are_answers_too() -> None:
    nothing = Problem(0, 3, lambda a, b: np.empty((0, 3), dtype=np.int64), np.array([], dtype=bool))
    assert levels(solve(nothing)) == (0, 0, 0)
    nobody = Problem(2, 0, lambda a, b: np.empty((b - a, 0), dtype=np.int64), np.array([True, False]))
    assert (levels(solve(nobody)), solve(nobody).gap) == ((0, 0, 0), 0)
