"""Villages that help more households than what these households are like suggests.

A logistic regression (ridge) over all households of the county says how likely a household of such conditions is to be
helped; their sum over a village is what is expected there. What is found is compared by the beta-binomial law, whose
spread between villages is estimated from the villages themselves (honest villages differ too), Benjamini-Hochberg over
the villages. Told are as many of a found village's helped households as it has beyond expectation: those whose
conditions suggest it least.
"""

import numpy as np
import pandas as pd
from scipy.stats import betabinom

from households.domain.detection.many_tests import q_values

RIDGE = 1.0
LEAST = 20  # households of a village
RATE = 0.10
PRIOR_BETWEEN, PRIOR_VILLAGES = 0.01, 3.0  # correlation within a village as long as few villages say otherwise


def helped_chance(conditions: np.ndarray, helped: np.ndarray) -> np.ndarray:
    """Fitted chance of each household to be helped. `conditions`: a row a household, a column a condition."""
    spread = conditions.std(axis=0)
    spread[spread == 0] = 1
    x = np.column_stack([np.ones(len(conditions)), (conditions - conditions.mean(axis=0)) / spread])
    penalty = np.diag([1e-6] + [RIDGE] * (x.shape[1] - 1))
    start = np.log((helped.mean() + 1e-4) / (1 - helped.mean() + 1e-4))
    beta = np.array([start] + [0.0] * (x.shape[1] - 1))
    for _ in range(12):
        chance = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        weight = np.maximum(chance * (1 - chance), 1e-6)
        step = np.linalg.solve((x * weight[:, None]).T @ x + penalty, x.T @ (helped - chance) - penalty @ beta)
        beta = beta + np.clip(step, -2, 2)
    return 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))


def village_rates(chance: np.ndarray, helped: np.ndarray, village: np.ndarray) -> pd.DataFrame:
    """One row a village (codes): cards, helped, expected, p, q (of too many), p_low, q_low (of too few)."""
    count = int(village.max()) + 1 if len(village) else 0
    cards = np.bincount(village, minlength=count)
    found = np.bincount(village, helped, minlength=count)
    expected = np.bincount(village, chance, minlength=count)
    tested = cards >= LEAST
    flagged = np.zeros(count, bool)
    q = np.full(count, np.nan)
    for _ in range(2):
        use = tested & ~flagged
        # What the found villages have too many of is not expected of the others.
        level = _level(found[use], expected[use])
        mean = np.clip(expected * level / np.maximum(cards, 1), 1e-5, 1 - 1e-5)
        rho = _between(found[use], cards[use], mean[use])
        a, b = mean * (1 - rho) / rho, (1 - mean) * (1 - rho) / rho
        p = np.where(tested, betabinom.sf(found - 1, cards, a, b), np.nan)
        low = np.where(tested, betabinom.cdf(found, cards, a, b), np.nan)
        q = q_values(p)
        flagged = np.nan_to_num(q, nan=1.0) <= RATE
    return pd.DataFrame(
        {
            "cards": cards, "helped": found.astype(int), "expected": mean * cards,
            "p": p, "q": q, "p_low": low, "q_low": q_values(low),
        }
    )  # fmt: skip


def _level(found: np.ndarray, expected: np.ndarray) -> float:
    """What villages help of what is expected: the median over expected households, which a few villages do not move."""
    if not len(found):
        return 1.0
    ratio = found / np.maximum(expected, 1e-9)
    order = np.argsort(ratio, kind="stable")
    reached = np.cumsum(expected[order])
    return float(max(ratio[order][np.searchsorted(reached, reached[-1] / 2)], 1e-3))


def _between(found: np.ndarray, cards: np.ndarray, mean: np.ndarray) -> float:
    """Correlation within villages by moments, from the villages that help less than expected: nobody gains by that, so
    their spread is honest, while that of the others holds what is looked for."""
    low = found <= cards * mean
    if low.sum() < 3:
        return PRIOR_BETWEEN
    pearson = (found[low] - cards[low] * mean[low]) ** 2 / np.maximum(cards[low] * mean[low] * (1 - mean[low]), 1e-9)
    between = (float(pearson.mean()) - 1) / max(float(cards[low].mean()) - 1, 1)
    weight = low.sum() / (low.sum() + PRIOR_VILLAGES)
    return float(np.clip(weight * between + (1 - weight) * PRIOR_BETWEEN, 0.002, 0.2))


def surplus(rates: pd.DataFrame, chance: np.ndarray, helped: np.ndarray, village: np.ndarray) -> np.ndarray:
    """Score of each household: in found villages the surplus of the helped, those least expected first; else 0."""
    score = np.zeros(len(chance))
    q, beyond_of = rates["q"].to_numpy(dtype=float), (rates["helped"] - rates["expected"]).to_numpy(dtype=float)
    for code in np.flatnonzero(rates["q"].fillna(1.0).to_numpy() <= RATE):
        of = np.flatnonzero((village == code) & helped.astype(bool))
        beyond = float(beyond_of[code])
        told = of[np.argsort(chance[of], kind="stable")][: int(np.ceil(beyond))]
        score[told] = (beyond / max(len(of), 1)) * (1 - q[code])
    return score
