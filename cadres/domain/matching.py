"""Cadres to posts: the plan at the optimum, with the reasons of every assignment and of every post left empty.

Put together from `fit` (what a pair is worth and which pairs may not be) and `assignment` (the optimum and its proof).
docs/matching.md has definitions and an example by hand.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cadres.domain import fit
from cadres.domain.assignment import FORBIDDEN, Ints, Problem, Quota, solve
from cadres.domain.fit import Candidate, Demand, FitParts, FitRules, Scores, Term
from cadres.domain.posts import Post

BETTER_SHOWN = 3

NO_CADRES, NOBODY_ELIGIBLE, ALL_USED, QUOTA_FULL = (
    "no_cadres",
    "nobody_eligible",
    "all_used",
    "quota_full",
)


@dataclass(frozen=True)
class Alternative:
    """Who was next: the best eligible cadre the plan leaves free, and what the total loses by the swap (billionths)."""

    staff_number: str
    score: int
    swap_cost: int


@dataclass(frozen=True)
class Elsewhere:
    """A cadre who would fit this post better, but is worth more at `post`."""

    staff_number: str
    score: int
    post: Post


@dataclass(frozen=True)
class Assignment:
    """One filled post: who, how well (billionths), why, who was next, who is better but used elsewhere."""

    post: Post
    staff_number: str
    score: int
    parts: FitParts
    next_best: Alternative | None
    better_elsewhere: tuple[Elsewhere, ...]


@dataclass(frozen=True)
class Unfilled:
    """One empty post. `barred` counts cadres by the first hard rule that keeps them out; `used_at` counts the eligible
    ones by the role they have in the plan; `over_quota` those whose unit may give no more."""

    post: Post
    reason: str
    barred: Mapping[str, int] = field(default_factory=dict)
    used_at: Mapping[str, int] = field(default_factory=dict)
    over_quota: int = 0


@dataclass(frozen=True)
class MatchResult:
    """A plan; objective, bound and gap are total fit in billionths, the gap 0 when the optimum is proven."""

    posts: tuple[Post, ...]
    assignments: tuple[Assignment, ...]
    unfilled: tuple[Unfilled, ...]
    priority_posts: int
    priority_filled: int
    objective: int
    bound: int

    @property
    def gap(self) -> int:
        return self.bound - self.objective


def match(
    posts: Sequence[Post],
    demands: Mapping[int, Demand],
    candidates: Sequence[Candidate],
    *,
    rules: FitRules,
    term: Term,
    quotas: Mapping[str, int] | None = None,
) -> MatchResult:
    """The best plan. `demands` has every village of `posts`; `quotas` are the most cadres a unit gives, by unit.

    The order of the inputs does not matter: posts are taken by village and role, cadres by staff number.
    """
    table = _Table(posts, demands, candidates, rules, term, quotas or {})
    solution = solve(table.problem())
    plan = _Plan(table, solution.column_of)
    return MatchResult(
        posts=tuple(table.posts),
        assignments=tuple(plan.assignment(row) for row in np.flatnonzero(solution.column_of >= 0).tolist()),
        unfilled=tuple(plan.unfilled(row) for row in np.flatnonzero(solution.column_of < 0).tolist()),
        priority_posts=sum(post.priority for post in table.posts),
        priority_filled=solution.priority_filled,
        objective=solution.objective,
        bound=solution.bound,
    )


class _Table:
    """Posts x cadres: gains row by row from one matrix villages x cadres, so that memory stays small."""

    def __init__(
        self,
        posts: Sequence[Post],
        demands: Mapping[int, Demand],
        candidates: Sequence[Candidate],
        rules: FitRules,
        term: Term,
        quotas: Mapping[str, int],
    ) -> None:
        self.posts = sorted(posts)
        self.candidates = sorted(candidates, key=lambda one: one.staff_number)
        self.rules, self.term = rules, term
        villages = sorted({post.village for post in self.posts})
        self.demands = {village: demands[village] for village in villages}
        row_of = {village: row for row, village in enumerate(villages)}
        self.village_row = np.array([row_of[post.village] for post in self.posts], dtype=np.int64)
        self.by_village = fit.fit_matrix([demands[one] for one in villages], self.candidates, rules)
        self.by_village -= fit.change_costs(self.candidates, rules, term)
        self._forbid_places(row_of)
        self.allowed = fit.role_masks(self.candidates, rules, term)
        self.staying = self._staying()
        self.quotas = self._quotas(quotas)

    def _forbid_places(self, row_of: Mapping[int, int]) -> None:
        for column, candidate in enumerate(self.candidates):
            for village in fit.forbidden_villages(candidate) & row_of.keys():
                self.by_village[row_of[village], column] = FORBIDDEN

    def _staying(self) -> dict[tuple[int, str], list[int]]:
        """Columns of the cadres who hold this village and role now: staying costs nothing."""
        staying: dict[tuple[int, str], list[int]] = {}
        for column, candidate in enumerate(self.candidates):
            if candidate.present:
                staying.setdefault((candidate.present.village, candidate.present.role), []).append(column)
        return staying

    def _quotas(self, most: Mapping[str, int]) -> list[Quota]:
        columns: dict[str, list[int]] = {}
        for column, candidate in enumerate(self.candidates):
            columns.setdefault(candidate.unit, []).append(column)
        return [Quota(tuple(columns[unit]), most[unit]) for unit in sorted(columns) if unit in most]

    def gains(self, first: int, last: int) -> Ints:
        gains = self.by_village[self.village_row[first:last]]
        for row, post in enumerate(self.posts[first:last]):
            gains[row, ~self.allowed[post.role]] = FORBIDDEN
            for column in self.staying.get((post.village, post.role), ()):
                if gains[row, column] != FORBIDDEN:
                    gains[row, column] = self.parts(post, column).total
        return gains

    def parts(self, post: Post, column: int) -> FitParts:
        demand = self.demands[post.village]
        return fit.fit_parts(self.candidates[column], demand, post.role, self.rules, self.term)

    def problem(self) -> Problem:
        priority = np.array([post.priority for post in self.posts], dtype=np.bool_)
        return Problem(len(self.posts), len(self.candidates), self.gains, priority, self.quotas)


class _Plan:
    """Reads the reasons off a solved table."""

    def __init__(self, table: _Table, column_of: Ints) -> None:
        self.table = table
        self.column_of = column_of
        self.row_of = {column: row for row, column in enumerate(column_of.tolist()) if column >= 0}
        used = np.zeros(len(table.candidates), dtype=np.bool_)
        used[list(self.row_of)] = True
        self.free = ~used
        number_of = {unit: number for number, unit in enumerate({one.unit: None for one in table.candidates})}
        self.unit = np.array([number_of[one.unit] for one in table.candidates], dtype=np.int64)
        self.over_quota = np.zeros(len(table.candidates), dtype=np.bool_)
        for quota in table.quotas:
            columns = list(quota.columns)
            self.over_quota[columns] = used[columns].sum() >= quota.most

    def assignment(self, row: int) -> Assignment:
        column = int(self.column_of[row])
        post = self.table.posts[row]
        gains = self.table.gains(row, row + 1)[0]
        return Assignment(
            post=post,
            staff_number=self.table.candidates[column].staff_number,
            score=int(gains[column]),
            parts=self.table.parts(post, column),
            next_best=self._next_best(gains, column),
            better_elsewhere=self._better_elsewhere(gains, column),
        )

    def _next_best(self, gains: Scores, column: int) -> Alternative | None:
        own_unit = self.table.candidates[column].unit
        same_unit = np.array([one.unit == own_unit for one in self.table.candidates], dtype=np.bool_)
        open_to = self.free & (~self.over_quota | same_unit) & (gains != FORBIDDEN)
        if not open_to.any():
            return None
        best = int(np.where(open_to, gains, FORBIDDEN).argmax())
        score = int(gains[best])
        return Alternative(self.table.candidates[best].staff_number, score, int(gains[column]) - score)

    def _better_elsewhere(self, gains: Scores, column: int) -> tuple[Elsewhere, ...]:
        better = np.flatnonzero((gains > gains[column]) & ~self.free)
        order = sorted(better.tolist(), key=lambda one: (-int(gains[one]), one))[:BETTER_SHOWN]
        return tuple(
            Elsewhere(
                self.table.candidates[one].staff_number,
                int(gains[one]),
                self.table.posts[self.row_of[one]],
            )
            for one in order
        )

    def unfilled(self, row: int) -> Unfilled:
        post = self.table.posts[row]
        demand = self.table.demands[post.village]
        if not self.table.candidates:
            return Unfilled(post, NO_CADRES)
        barred = Counter(
            reason
            for one in self.table.candidates
            if (reason := fit.barred_by(one, demand, post.role, self.table.rules, self.table.term))
        )
        eligible = self.table.gains(row, row + 1)[0] != FORBIDDEN
        if not eligible.any():
            return Unfilled(post, NOBODY_ELIGIBLE, dict(barred))
        used_at = Counter(self.table.posts[self.row_of[column]].role for column in self._used(eligible))
        over_quota = int((eligible & self.free).sum())
        return Unfilled(
            post,
            QUOTA_FULL if over_quota else ALL_USED,
            dict(barred),
            dict(used_at),
            over_quota,
        )

    def _used(self, eligible: npt.NDArray[np.bool_]) -> list[int]:
        return np.flatnonzero(eligible & ~self.free).tolist()
