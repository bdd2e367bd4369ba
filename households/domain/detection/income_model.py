"""What a household's means suggest it earns, and how far below that its declared income lies.

Expected earnings of household i (yuan, wage + business + property + other transfers - expenses) are a sum over its
means, times the level of its village:

    mu_i = v(i) * sum_j beta_j x_ij,   beta_j >= 0

so that beta reads as yuan a mu, a head, a month away. The fit is iterated: non-negative least squares of y on X with
weights w_i / mu_i^2 (errors grow with the amount), where w_i are Tukey's biweights of the log residuals, so that a
false declaration does not bend the model it is measured by. A weak prior (the county's yearly standard, as `PRIOR_ROWS`
pseudo-households each) keeps means few households have near what the county says they bring. Village levels are medians
of log residuals, shrunk to 1 by n / (n + SHRINK).

The residual is r = log((y + a) / (mu + a)) with a = OFFSET yuan a member. Its spread is taken from the upper half in
bins of mu (nobody declares too much to be helped), z = r / spread. The share of the households that low which the upper
half, mirrored, or the normal law does not account for is 1 - expected / found; the score is that share times how much
is missing: (1 - declared / expected) / MISSING, at most 1. Only households in help are told: what others declare gains
them nothing, and who is poor by declaration without help is looked at as left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from scipy.stats import norm

# Means of a household: column of the frame -> what is thought to come of one unit where a county has no standard.
# Months and members at work, mu, heads, things owned, and the household and its members themselves (odd jobs, kin).
MEANS: dict[str, float] = {
    "months_township": 2500.0,
    "months_county": 2900.0,
    "months_province": 3400.0,
    "months_outside": 4100.0,
    "local_workers": 9000.0,
    "employees": 24000.0,
    "public_posts": 6000.0,
    "irrigated": 430.0,
    "dry_land": 285.0,
    "orchard": 1250.0,
    "forest": 75.0,
    "water_surface": 1600.0,
    "pigs": 525.0,
    "cattle": 3500.0,
    "sheep": 600.0,
    "poultry": 30.0,
    "cars": 3000.0,
    "flats": 3000.0,
    "machines": 5000.0,
    "companies": 10000.0,
    "payroll": 30000.0,
    "idle_able": 2000.0,
    "old": 500.0,
    "members": 300.0,
    "house_beyond": 20.0,
}
LEAST = 60  # households without which no model is made
PRIOR_ROWS = 4.0
SHRINK = 15.0
OFFSET = 400.0
ROUNDS = 12
BINS = 8
TUKEY = 4.7
MISSING = 0.75  # share of the expected income missing from which nothing is taken off the score
CLEAR = 0.5  # scores below are not told


@dataclass(frozen=True)
class IncomeModel:
    """A fitted model: yuan a unit of each mean, the level of each village, and the spread of log residuals by mu."""

    betas: dict[str, float]
    villages: dict[int, float]
    edges: np.ndarray
    spreads: np.ndarray

    def parts(self, cards: pd.DataFrame) -> pd.DataFrame:
        """Expected yuan of each mean of each household, at the level of its village."""
        level = cards["village_id"].map(self.villages).fillna(1.0).to_numpy()
        return pd.DataFrame({name: cards[name].to_numpy() * beta * level for name, beta in self.betas.items()})

    def expected(self, cards: pd.DataFrame) -> np.ndarray:
        """Expected earnings in yuan."""
        return np.maximum(self.parts(cards).sum(axis=1).to_numpy(), 1.0)

    def distance(self, cards: pd.DataFrame) -> np.ndarray:
        """z: how many spreads the declared earnings lie above (below: negative) the expected; NaN where unknown."""
        mu = self.expected(cards)
        spread = self.spreads[np.searchsorted(self.edges, mu)]
        return _log_ratio(cards["earned"].to_numpy(), mu, cards["members"].to_numpy()) / spread


def _log_ratio(earned: np.ndarray, mu: np.ndarray, members: np.ndarray) -> np.ndarray:
    offset = OFFSET * np.maximum(members, 1)
    return np.log((np.maximum(earned, 0) + offset) / (mu + offset))


def fit(cards: pd.DataFrame, prior: Mapping[str, float] | None = None) -> IncomeModel | None:
    """The model of the households of one county, or None where there are fewer than LEAST.

    `cards`: village_id, members, earned (yuan, NaN unknown) and the columns of MEANS. `prior`: yuan a unit.
    """
    known = cards[cards["earned"].notna() & (cards["members"] > 0)]
    if len(known) < LEAST:
        return None
    names = list(MEANS)
    x = known[names].to_numpy(dtype=float)
    y = known["earned"].to_numpy(dtype=float)
    members = known["members"].to_numpy(dtype=float)
    village, places = pd.factorize(known["village_id"])
    start = np.array([{**MEANS, **(prior or {})}[name] for name in names])
    typical = np.array([np.median(column[column > 0]) if (column > 0).any() else 1.0 for column in x.T])
    beta, level, weight = start, np.ones(len(places)), np.ones(len(y))
    for _ in range(ROUNDS):
        scale = np.maximum(x @ beta * level[village], OFFSET * members)
        root = np.sqrt(weight) / scale
        # One pseudo-household of each mean, as much as is typical of it, earning what the prior says.
        own = np.sqrt(PRIOR_ROWS) * typical / np.maximum(typical * start, OFFSET)
        rows = np.vstack([x * (level[village] * root)[:, None], np.diag(own)])
        beta = nnls(*_reduced(rows, np.concatenate([y * root, own * start])))[0]
        mu = np.maximum(x @ beta, 1.0)
        log = _log_ratio(y, mu, members)
        level = np.exp(_village_levels(log, village, len(places)))
        residual = _log_ratio(y, mu * level[village], members)
        spread = max(_upper_spread(residual), 1e-3)
        weight = np.maximum(1 - (residual / (TUKEY * spread)) ** 2, 0) ** 2
    mu = np.maximum(x @ beta * level[village], 1.0)
    residual = _log_ratio(y, mu, members)
    count = int(np.clip(len(mu) // 60, 1, BINS))
    edges = np.quantile(mu, np.arange(1, count) / count)
    bins = np.searchsorted(edges, mu)
    spreads = np.array([max(_upper_spread(residual[bins == one]), 0.08) for one in range(count)])
    return IncomeModel(
        dict(zip(names, beta.tolist(), strict=True)),
        dict(zip([int(place) for place in places], level.tolist(), strict=True)),
        edges,
        spreads,
    )


def _reduced(rows: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same least squares with as many rows as columns, so that the solver does not grow with the county."""
    factor = cholesky(rows.T @ rows, lower=True)
    return factor.T, solve_triangular(factor, rows.T @ target, lower=True)


def _village_levels(log: np.ndarray, village: np.ndarray, count: int) -> np.ndarray:
    medians = pd.Series(log).groupby(village).median().reindex(range(count)).fillna(0).to_numpy()
    sizes = np.bincount(village, minlength=count)
    return medians * sizes / (sizes + SHRINK)


def _upper_spread(residual: np.ndarray) -> float:
    above = residual[residual > 0]
    return float(np.median(above) / 0.6745) if len(above) else 0.1


@dataclass(frozen=True)
class Need:
    """Yuan a head below which a household is helped, and from which its expected income makes that odd."""

    helped_below: float
    expected_from: float


def implausible(cards: pd.DataFrame, model: IncomeModel, need: Need) -> pd.DataFrame:
    """Households in help (column helped) by what they declare although their means suggest much more.

    Index of `cards`; columns score (CLEAR or more), expected and declared (yuan, with the official transfers of column
    `official` in both) and parts: the three means that bring most, as (name, units, yuan).
    """
    z = model.distance(cards)
    mu = model.expected(cards)
    official = cards["official"].to_numpy()
    members = np.maximum(cards["members"].to_numpy(), 1)
    declared = cards["earned"].to_numpy() + official
    missing = 1 - np.maximum(declared, 0) / np.maximum(mu + official, 1)
    score = _surplus_below(z) * np.clip(np.nan_to_num(missing) / MISSING, 0, 1)
    told = cards["helped"].to_numpy() & (score >= CLEAR)
    told &= (declared < need.helped_below * members) & (mu + official >= need.expected_from * members)
    parts = model.parts(cards[told]).to_numpy(dtype=float)
    units = cards.loc[told, list(model.betas)].to_numpy(dtype=float)
    top = np.argsort(-parts, axis=1, kind="stable")[:, :3]
    names = list(model.betas)
    reasons = [
        [
            (names[column], round(float(units[row, column]), 2), round(float(parts[row, column])))
            for column in best
            if parts[row, column] > 0 and names[column] not in ("members", "house_beyond")
        ]
        for row, best in enumerate(top.tolist())
    ]
    return pd.DataFrame(
        {
            "score": score[told],
            "expected": np.round((mu + official)[told]),
            "declared": np.round(declared[told]),
            "parts": pd.Series(reasons, index=cards.index[told], dtype=object),
        },
        index=cards.index[told],
    )


def _surplus_below(z: np.ndarray) -> np.ndarray:
    """Share of the households at least this low that honest spread does not account for; 0 where z is not negative."""
    known = np.flatnonzero(~np.isnan(z))
    values = np.sort(z[known])
    low = z[known] < 0
    found = np.searchsorted(values, z[known], side="right")
    mirrored = len(values) - np.searchsorted(values, -z[known], side="left")
    expected = np.maximum(mirrored, norm.cdf(z[known]) * len(values))
    score = np.zeros(len(z))
    score[known] = np.where(low, np.clip(1 - expected / np.maximum(found, 1), 0, 0.99), 0.0)
    # Lower never scores less.
    order = np.argsort(-np.nan_to_num(z, nan=np.inf), kind="stable")
    score[order] = np.maximum.accumulate(score[order])
    return np.where(np.isnan(z), 0.0, score)


def error(cards: pd.DataFrame, folds: int = 5) -> dict[str, float]:
    """Cross-validated by village: each fold is predicted by the other villages, without a level of its own.

    median_error: median of |log((declared + a) / (expected + a))|; within_30: share expected within 30 percent;
    correlation of the logs.
    """
    village = pd.factorize(cards["village_id"])[0]
    log, pairs = [], []
    for fold in range(folds):
        held = (village % folds == fold) & cards["earned"].notna().to_numpy()
        model = fit(cards[village % folds != fold])
        if model is None or not held.any():
            continue
        of = cards[held]
        mu, offset = model.expected(of), OFFSET * of["members"].to_numpy()
        log.append(_log_ratio(of["earned"].to_numpy(), mu, of["members"].to_numpy()))
        pairs.append(np.column_stack([np.log(mu + offset), np.log(np.maximum(of["earned"], 0) + offset)]))
    residual = np.abs(np.concatenate(log))
    return {
        "median_error": float(np.median(residual)),
        "within_30": float((residual < np.log(1.3)).mean()),
        "correlation": float(np.corrcoef(np.vstack(pairs).T)[0, 1]),
    }
