"""Many tests at once: the false discovery rate held by Benjamini and Hochberg (1995)."""

import numpy as np


def q_values(p: np.ndarray) -> np.ndarray:
    """Of each p-value the smallest false discovery rate at which its test counts; NaN (no test made) stays NaN."""
    p = np.asarray(p, dtype=float)
    q = np.full(len(p), np.nan)
    made = np.flatnonzero(~np.isnan(p))
    if not len(made):
        return q
    order = made[np.argsort(p[made], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q
