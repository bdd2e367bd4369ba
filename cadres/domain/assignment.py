"""The best assignment of columns (cadres) to rows (posts), with a proof.

Objective, lexicographic: (1) as many priority rows filled as possible, (2) as many rows filled as possible, (3) the
largest total gain. Groups of columns may have quotas: at most so many of a group are used.

One assignment problem settles all three. A filled row earns `gain + W`, a filled priority row `gain + 2 W`, with W
greater than any possible difference of two totals of gains. Sets of rows that can be filled together are the
independent sets of a matroid (a transversal matroid; with quotas, which are flow capacities, a gammoid). Hence a
filling exists that is best at (1) and at (2) at once, and a solution that is worse at either loses at least W, more
than gains can repay; W need not be nested. A quota becomes rows "stays at home": a group of c columns with quota q has
c - q such rows that only its columns can take and that must be taken.

Proof of optimality: prices. For any prices v >= 0 of the columns, sum of v plus the sum over rows of the greatest
(gain - v) is an upper bound of every assignment (weak duality). The bound is computed over all pairs in 64-bit integers
after solving; it equals the objective exactly when the solution is optimal. The proof does not rely on the solver.

Large problems start from each row's best columns only; pairs whose price is violated are added and the problem is
solved again, until no pair of all is violated (column generation).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

FORBIDDEN = np.iinfo(np.int64).min // 4
"""Gain of a pair that may not be: no sum of prices reaches it."""

Ints = npt.NDArray[np.int64]
Blocks = Callable[[int, int], Ints]
"""Gains of rows first..last-1, all columns; FORBIDDEN where the pair may not be."""

_COMPLETE_PAIRS = 2_000_000
_FIRST_PER_ROW = 40
_ADDED_PER_ROW = 10
_BLOCK_PAIRS = 4_000_000


@dataclass(frozen=True)
class Quota:
    """At most `most` of `columns` may be used."""

    columns: tuple[int, ...]
    most: int


@dataclass(frozen=True)
class Problem:
    """`rows` x `columns` with gains given block by block; `priority` marks the rows of level (1)."""

    rows: int
    columns: int
    gains: Blocks
    priority: npt.NDArray[np.bool_]
    quotas: Sequence[Quota] = ()


@dataclass(frozen=True)
class Solution:
    """`column_of[row]` is -1 for an empty row. `objective` is the sum of gains, `bound` what no assignment with as many
    (priority) rows filled can exceed; `gap` is 0 when the optimum is proven. `rounds` counts solves."""

    column_of: Ints
    priority_filled: int
    filled: int
    objective: int
    bound: int
    rounds: int

    @property
    def gap(self) -> int:
        return self.bound - self.objective


def solve(problem: Problem) -> Solution:
    """The optimum of the lexicographic objective; see the module's text."""
    if not problem.rows:
        return Solution(np.full(0, -1, dtype=np.int64), 0, 0, 0, 0, 0)
    graph = _Graph(problem)
    rounds = 0
    while True:
        rounds += 1
        taken = graph.solve()
        prices = graph.prices(taken)
        bound, added = graph.price_out(prices)
        if not added:
            return graph.solution(taken, bound, rounds)


class _Graph:
    """The rows (posts, then "stays at home"), the columns (cadres, then one "empty" a post) and the pairs in play."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.at_home = [
            quota.columns for quota in problem.quotas for _ in range(max(0, len(quota.columns) - max(quota.most, 0)))
        ]
        self.rows = problem.rows + len(self.at_home)
        self.columns = problem.columns + problem.rows
        self.pairs = self._first_pairs()
        self.weight = _filling_weight(problem)
        self.bonus = np.where(problem.priority, 2 * self.weight, self.weight).astype(np.int64)

    def blocks(self) -> "list[tuple[int, int]]":
        step = max(1, _BLOCK_PAIRS // max(self.problem.columns, 1))
        return [(first, min(first + step, self.problem.rows)) for first in range(0, self.problem.rows, step)]

    def _first_pairs(self) -> tuple[Ints, Ints, Ints]:
        """Row, column and bare gain of the pairs one starts with: all of them, or each row's best."""
        complete = self.problem.rows * self.problem.columns <= _COMPLETE_PAIRS
        most = self.problem.columns if complete else _FIRST_PER_ROW
        found = [_best(self.problem.gains(first, last), first, most) for first, last in self.blocks()]
        return _joined(found)

    def edges(self) -> tuple[Ints, Ints, Ints]:
        """All edges of the assignment problem with their earnings, sorted by row, then column."""
        posts, cadres, gains = self.pairs
        home_rows = np.repeat(
            np.arange(self.problem.rows, self.rows, dtype=np.int64),
            [len(columns) for columns in self.at_home],
        )
        home_columns = np.array([column for columns in self.at_home for column in columns], dtype=np.int64)
        empty = np.arange(self.problem.rows, dtype=np.int64)
        row = np.concatenate([posts, empty, home_rows])
        column = np.concatenate([cadres, empty + self.problem.columns, home_columns])
        earning = np.concatenate(
            [
                gains + self.bonus[posts],
                np.zeros(len(empty) + len(home_rows), dtype=np.int64),
            ]
        )
        order = np.lexsort((column, row))
        return row[order], column[order], earning[order]

    def solve(self) -> Ints:
        """The column of every row, "stays at home" included."""
        row, column, earning = self.edges()
        # whole numbers below 2^53 are exact in the solver's doubles; every row is matched, so a shift is harmless
        cost = (earning.max() - earning + 1).astype(np.float64)
        matrix = csr_array((cost, (row, column)), shape=(self.rows, self.columns))
        rows, columns = min_weight_full_bipartite_matching(matrix)
        taken = np.empty(self.rows, dtype=np.int64)
        taken[rows] = columns
        return taken

    def prices(self, taken: Ints) -> Ints:
        """The least prices that make every row content with its column: longest alternating paths, by relaxation."""
        row, column, earning = self.edges()
        order = np.argsort(column, kind="stable")
        row, column, earning = row[order], column[order], earning[order]
        starts = np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
        owner = np.full(self.columns, -1, dtype=np.int64)
        owner[taken] = np.arange(self.rows)
        held = np.zeros(self.rows, dtype=np.int64)
        held[row[owner[column] == row]] = earning[owner[column] == row]
        price = np.zeros(self.columns, dtype=np.int64)
        for _ in range(self.rows + 1):
            asked = price[taken[row]] + earning - held[row]
            raised = price.copy()
            touched = column[starts]
            raised[touched] = np.maximum(raised[touched], np.maximum.reduceat(asked, starts))
            if np.array_equal(raised, price):
                break
            price = raised
        return price

    def price_out(self, price: Ints) -> tuple[int, int]:
        """The upper bound over all pairs, and how many violated pairs were added to the problem."""
        cadre_price, empty_price = (
            price[: self.problem.columns],
            price[self.problem.columns :],
        )
        in_play = self._highest_in_play(price)
        total = sum(int(one) for one in price)
        total += sum(int(-cadre_price[list(columns)].min()) for columns in self.at_home)
        found = []
        for first, last in self.blocks():
            gains = self.problem.gains(first, last)
            worth = np.where(
                gains == FORBIDDEN,
                FORBIDDEN,
                gains + self.bonus[first:last, None] - cadre_price,
            )
            best = np.maximum(worth.max(axis=1, initial=FORBIDDEN), -empty_price[first:last])
            total += sum(int(one) for one in best)
            violated = np.where(worth > in_play[first:last, None], worth, FORBIDDEN)
            if (best > in_play[first:last]).any():
                found.append(_best(violated, first, _ADDED_PER_ROW, gains))
        if not found:
            return total, 0
        added = _joined(found)
        self.pairs = _joined([self.pairs, added])
        return total, len(added[0])

    def _highest_in_play(self, price: Ints) -> Ints:
        """Per post: the greatest worth among the pairs in play, being empty included."""
        row, column, earning = self.edges()
        starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
        return np.maximum.reduceat(earning - price[column], starts)[: self.problem.rows]

    def solution(self, taken: Ints, bound: int, rounds: int) -> Solution:
        posts = taken[: self.problem.rows]
        column_of = np.where(posts < self.problem.columns, posts, -1)
        filled = column_of >= 0
        row, column, earning = self.edges()
        chosen = (taken[row] == column) & (row < self.problem.rows)
        total = sum(int(one) for one in earning[chosen])
        fixed = sum(int(one) for one in self.bonus[filled])
        return Solution(
            column_of=column_of,
            priority_filled=int((filled & self.problem.priority).sum()),
            filled=int(filled.sum()),
            objective=total - fixed,
            bound=bound - fixed,
            rounds=rounds,
        )


def _filling_weight(problem: Problem) -> int:
    """Greater than the difference of any two totals of gains."""
    greatest = 0
    for first in range(0, problem.rows, 512):
        gains = problem.gains(first, min(first + 512, problem.rows))
        allowed = np.abs(gains[gains != FORBIDDEN])
        greatest = max(greatest, int(allowed.max(initial=0)))
    return 2 * greatest * problem.rows + 1


def _best(worth: Ints, first_row: int, most: int, gains: Ints | None = None) -> tuple[Ints, Ints, Ints]:
    """Row, column and gain of each row's best `most` pairs that are not FORBIDDEN."""
    gains = worth if gains is None else gains
    if most < worth.shape[1]:
        columns = np.argpartition(-worth, most, axis=1)[:, :most]
        keep = np.zeros(worth.shape, dtype=np.bool_)
        np.put_along_axis(keep, columns, True, axis=1)
        keep &= worth != FORBIDDEN
    else:
        keep = worth != FORBIDDEN
    row, column = np.nonzero(keep)
    return (
        (row + first_row).astype(np.int64),
        column.astype(np.int64),
        gains[row, column].astype(np.int64),
    )


def _joined(parts: Sequence[tuple[Ints, Ints, Ints]]) -> tuple[Ints, Ints, Ints]:
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )
