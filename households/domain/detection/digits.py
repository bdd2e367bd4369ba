"""Amounts that end in the same digits too often, by who typed them.

Counted are amounts that somebody writes down (wages, business income, expenses, medical cost), whole yuan. An amount is
in one of 12 classes: ends in 000, in 00, or in its last digit. What is expected of a unit is what the others of the
county show: honest people round too, and how much depends on what is asked. Chi-square, Benjamini-Hochberg over all
units, and a least effect: enough cards are caught by chance alone where tens of thousands of amounts are counted.
"""

import numpy as np
import pandas as pd
from scipy.stats import chi2

from households.domain.detection.many_tests import q_values

CLASSES = 12
LEAST = 60  # amounts
EFFECT = 0.20  # share of a unit's amounts in the classes it prefers beyond what is expected
RATE = 0.01


def digit_class(amounts: np.ndarray) -> np.ndarray:
    """Class of each amount in yuan; -1 for those that say nothing (zero, below 100, unknown)."""
    whole = np.nan_to_num(np.floor(amounts), nan=0).astype(np.int64)
    found = np.select([whole % 1000 == 0, whole % 100 == 0], [11, 10], whole % 10)
    return np.where(whole >= 100, found, -1)


def preference(classes: np.ndarray, unit: np.ndarray, units: int) -> pd.DataFrame:
    """One row a unit: amounts, p, q, excess (share of amounts beyond expected in preferred classes), preferred (list).

    `classes` and `unit` have one entry an amount.
    """
    said = classes >= 0
    counts = np.zeros((units, CLASSES))
    np.add.at(counts, (unit[said], classes[said]), 1)
    totals = counts.sum(axis=1)
    flagged = np.zeros(units, bool)
    for _ in range(2):
        pool = np.where(flagged[:, None], 0, counts)
        rest = pool.sum(axis=0) - pool + 0.5
        share = rest / rest.sum(axis=1, keepdims=True)
        expected = share * totals[:, None]
        statistic = ((counts - expected) ** 2 / np.maximum(expected, 0.5)).sum(axis=1)
        p = np.where(totals >= LEAST, chi2.sf(statistic, CLASSES - 1), np.nan)
        q = q_values(p)
        over = np.maximum(counts - expected, 0)
        excess = over.sum(axis=1) / np.maximum(totals, 1)
        flagged = (np.nan_to_num(q, nan=1.0) <= RATE) & (excess >= EFFECT)
    prefers = over > 0.05 * np.maximum(totals, 1)[:, None]
    return pd.DataFrame(
        {
            "amounts": totals.astype(int),
            "p": p,
            "q": q,
            "excess": excess,
            "preferred": [np.flatnonzero(row).tolist() for row in prefers],
            "found": flagged,
        }
    )
