"""Which household an office visits first: what its open leads say together, and how sure of it their rules are. Pure.

    priority = 1 - product over its open leads of (1 - weight of the rule x score of the lead)

Two leads that say 0.5 each say 0.75 together; no number of leads says more than 1. The product itself is the `doubt`:
the chance that none of them is right, if rules erred independently. A weight begins with the precision expected of the
kind (reference/lead_weights.csv) and moves with the office's own decisions, as the mean of a Beta distribution.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import prod, sqrt

PRIOR_DECISIONS = 20  # so many decisions weigh as much as the precision expected beforehand
UNKNOWN_KIND = 0.5
# A household is first, soon or in turn; for the badge of the desk.
FIRST, SOON = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """One open lead of a household."""

    kind: str
    rule: str
    score: float
    weight: float

    @property
    def share(self) -> float:
        """What it says alone."""
        return min(1.0, max(0.0, self.weight * self.score))


@cache
def expected_precision() -> dict[str, float]:
    """Kind of lead -> share of right leads expected before any decision."""
    with (files("households") / "reference" / "lead_weights.csv").open(encoding="utf-8") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return {row["kind"]: float(row["precision"]) for row in rows}


def weight_of(kind: str, *, confirmed: int = 0, dismissed: int = 0) -> float:
    """The mean of Beta(p n + confirmed, (1 - p) n + dismissed): p the precision expected of the kind, n
    PRIOR_DECISIONS. 0.6 expected, 3 right and 17 wrong: (12 + 3) / 40 = 0.375."""
    expected = expected_precision().get(kind, UNKNOWN_KIND)
    return (expected * PRIOR_DECISIONS + confirmed) / (PRIOR_DECISIONS + confirmed + dismissed)


def doubt_of(leads: Iterable[Said]) -> float:
    """The chance that no lead is right; 1 without leads."""
    return prod(1 - lead.share for lead in leads)


def band(priority: float) -> str:
    """first, soon, later: for its badge."""
    return "first" if priority >= FIRST else "soon" if priority >= SOON else "later"


def wilson(right: int, total: int, z: float = 1.959964) -> tuple[float, float] | None:
    """The 95 % interval of a share by Wilson (1927): 8 of 10 -> (0.490, 0.943). None without decisions."""
    if total == 0:
        return None
    share = right / total
    middle = share + z * z / (2 * total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
