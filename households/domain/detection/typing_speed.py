"""Cards typed one after the other faster than a card can be asked and typed.

A card is typed when it is saved; the gap to the save before by the same person is how long it took at most. Gaps longer
than SESSION are pauses. A gap is short below half a minute and the time of the fields that were filled in (SECONDS
each, by the members of the card); where times are kept to the minute, only one that is shorter by that too counts. A
person whose share of short gaps is beyond what the others show (binomial, Benjamini-Hochberg) and at least SHARE is
told, on the cards of runs of RUN or more short gaps.
"""

import numpy as np
import pandas as pd
from scipy.stats import binom

from households.domain.detection.many_tests import q_values

SESSION = 4 * 3600
BASE, SECONDS = 45, 12  # seconds for the household's own facts at the least, and for each member's
LEAST = 20  # gaps
SHARE = 0.15
RUN = 5
RATE = 0.01


def gaps(at: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Seconds since the save before of the same unit; NaN for the first one, after a pause and where unknown.

    `at` are seconds (NaN unknown). Saves of one same second are a file that was read in, not typing: they are NaN.
    """
    order = np.lexsort((at, unit))
    since = np.full(len(at), np.nan)
    step = np.diff(at[order])
    same = np.diff(unit[order]) == 0
    since[order[1:]] = np.where(same & (step <= SESSION) & (step > 0), step, np.nan)
    return since


def fast(since: np.ndarray, members: np.ndarray, unit: np.ndarray, units: int) -> pd.DataFrame:
    """One row a unit: gaps, short, median (seconds), p, q, excess, found."""
    known = ~np.isnan(since)
    short = is_short(since, members)
    gap_count = np.bincount(unit[known], minlength=units)
    short_count = np.bincount(unit[short], minlength=units)
    flagged = np.zeros(units, bool)
    for _ in range(2):
        pool_short, pool = np.where(flagged, 0, short_count), np.where(flagged, 0, gap_count)
        usual = (pool_short.sum() - pool_short + 1) / (pool.sum() - pool + 50)
        p = np.where(gap_count >= LEAST, binom.sf(short_count - 1, gap_count, np.clip(usual, 0.01, 0.9)), np.nan)
        q = q_values(p)
        excess = np.clip(1 - usual * gap_count / np.maximum(short_count, 1), 0, 1)
        flagged = (np.nan_to_num(q, nan=1.0) <= RATE) & (short_count >= SHARE * gap_count)
    median = pd.Series(since).groupby(unit).median().reindex(range(units)).to_numpy()
    return pd.DataFrame(
        {"gaps": gap_count, "short": short_count, "median": median, "p": p, "q": q, "excess": excess, "found": flagged}
    )


def is_short(since: np.ndarray, members: np.ndarray) -> np.ndarray:
    return np.nan_to_num(since, nan=np.inf) < BASE + SECONDS * members


def in_runs(at: np.ndarray, unit: np.ndarray, short: np.ndarray) -> np.ndarray:
    """Which cards are part of RUN or more short gaps one after the other."""
    order = np.lexsort((at, unit))
    ordered = short[order]
    starts = np.concatenate([[True], ~(ordered[1:] & ordered[:-1]) | (np.diff(unit[order]) != 0)])
    run = np.cumsum(starts) - 1
    length = np.bincount(run, weights=ordered)
    found = np.zeros(len(at), bool)
    found[order] = ordered & (length[run] >= RUN)
    return found
