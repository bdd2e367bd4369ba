"""Cards that bunch just under a line: by who typed them, and by village.

Of the cards within WINDOW of the line, the share below it is compared with what the other cards of the county show
(the cards of units found bunching are left out in a second pass, so that they do not hide one another), never less than
`FLOOR` and never more than a smooth density would give: the share below of a straight line fitted to the counts further
from the line. One-sided binomial test, Benjamini-Hochberg over all units; a unit with fewer than LEAST cards in the
window is not tested.
"""

import numpy as np
import pandas as pd
from scipy.stats import binom

from households.domain.detection.many_tests import q_values

WINDOW = 0.10
SMOOTH = 0.50  # how far from the line the straight line is fitted, as a share of it
LEAST = 8
FLOOR = 0.25
RATE = 0.05


def bunching(per_capita: np.ndarray, unit: np.ndarray, line: float) -> pd.DataFrame:
    """One row a unit (codes of `unit`): cards, below and above (cards in the window), share (expected), p, q, excess.

    `excess` is the share of the cards just below that the others do not account for: of a card there, how likely its
    income was brought under the line. NaN p where the unit is too small.
    """
    place = per_capita / line - 1
    count = int(unit.max()) + 1 if len(unit) else 0
    inside = np.abs(place) <= WINDOW
    below = np.bincount(unit[inside & (place < 0)], minlength=count)
    above = np.bincount(unit[inside & (place >= 0)], minlength=count)
    smooth = _smooth_share(place)
    flagged = np.zeros(count, bool)
    for _ in range(2):
        share = np.clip(_others(below, above, flagged), FLOOR, max(smooth, FLOOR))
        tested = below + above >= LEAST
        p = np.where(tested, binom.sf(below - 1, below + above, share), np.nan)
        q = q_values(p)
        flagged = np.nan_to_num(q, nan=1.0) <= RATE
    expected = above * share / (1 - share)
    return pd.DataFrame(
        {
            "cards": np.bincount(unit, minlength=count),
            "below": below,
            "above": above,
            "share": share,
            "p": p,
            "q": q,
            "excess": np.clip(1 - expected / np.maximum(below, 1), 0, 1),
        }
    )


def _others(below: np.ndarray, above: np.ndarray, flagged: np.ndarray) -> np.ndarray:
    """Share below of the other units' cards in the window."""
    rest_below = np.where(flagged, 0, below)
    rest_above = np.where(flagged, 0, above)
    of, on = rest_below.sum() - rest_below, rest_above.sum() - rest_above
    return (of + 1) / (of + on + 2)


def _smooth_share(place: np.ndarray) -> float:
    """Share below in the window by a straight line through the counts between WINDOW and SMOOTH on both sides."""
    bins = np.arange(-SMOOTH, SMOOTH + 1e-9, WINDOW)
    counts, edges = np.histogram(place, bins)
    middle = (edges[:-1] + edges[1:]) / 2
    outside = np.abs(middle) > WINDOW
    if counts[outside].sum() < LEAST:
        return 0.5
    slope, height = np.polyfit(middle[outside], counts[outside], 1)
    low, high = np.maximum([height - slope * WINDOW / 2, height + slope * WINDOW / 2], 1e-9)
    return float(low / (low + high))


def in_window_below(per_capita: np.ndarray, line: float) -> np.ndarray:
    """Which cards are those just below."""
    place = per_capita / line - 1
    return (place < 0) & (place >= -WINDOW)
