"""Households nobody helps that fell on hard times within the year: bills, an earner's death, a disaster, lost income.

For households not on the list whose income by the card is still at or above the monitoring line: who is below it is
told as left out, marginal or unstable. Four rules, each with its own reason; a household may have several.

- bills: what it paid for illness takes the income below the monitoring line, and a year ago it did not;
- death: a member who worked died within the year, and the income a head fell by DEATH_FALL;
- disaster: in a village struck this year the house became unsafe, or the farm brings half of what it did and all income
  a head fell by OF_LIVING;
- falling: the income a head fell by FALL or more to below NEAR monitoring lines, and what was earned fell so much too
  (money that came once is no fall).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEAST_BILLS = 3000.0  # yuan a year; less is no blow to anybody
DEATH_FALL = 0.25
HARVEST_LOST, OF_LIVING = 0.5, 0.2
FALL, NEAR = 0.45, 1.5
RULES = ("hardship_bills", "hardship_death", "hardship_disaster", "hardship_falling")


@dataclass(frozen=True)
class Years:
    """Figures of this year and the one before, a row a household; NaN where there was no sheet."""

    head: np.ndarray  # yuan a head
    head_before: np.ndarray
    earned: np.ndarray  # wages and business after expenses, yuan a head
    earned_before: np.ndarray


def hardships(cards: pd.DataFrame, monitoring: float) -> pd.DataFrame:
    """One row a household and rule that hits: household_id, rule, score, and the figures its sentence needs.

    `cards`, a row a household with a sheet of the year, unhelped: household_id; and of this year and, with `_before`,
    of the year before (NaN: no sheet): members, net, wage, business, expenses, bills (yuan), workers, unsafe (0, 1);
    disaster (0, 1: the village was struck this year), died (members who worked and died within the year).
    `monitoring`: yuan a head.
    """
    years = _years(cards)
    above = years.head >= monitoring
    found = [
        _bills(cards, years, monitoring),
        _death(cards, years),
        _disaster(cards, years),
        _falling(years, monitoring),
    ]
    figures = pd.DataFrame(
        {
            "household_id": cards["household_id"].to_numpy(),
            "head": np.round(years.head),
            "head_before": np.round(years.head_before),
            "bills": cards["bills"].fillna(0).to_numpy(),
        }
    )
    parts = [
        figures[above & (score > 0)].assign(rule=rule, score=np.round(score[above & (score > 0)], 3))
        for rule, score in zip(RULES, found, strict=True)
    ]
    return pd.concat(parts, ignore_index=True).sort_values(["household_id", "rule"], kind="stable")


def _years(cards: pd.DataFrame) -> Years:
    def of(suffix: str) -> tuple[np.ndarray, np.ndarray]:
        members = cards[f"members{suffix}"].where(cards[f"members{suffix}"] > 0).to_numpy(dtype=float)
        earned = cards[f"wage{suffix}"] + cards[f"business{suffix}"] - cards[f"expenses{suffix}"]
        return cards[f"net{suffix}"].to_numpy(dtype=float) / members, earned.to_numpy(dtype=float) / members

    (head, earned), (head_before, earned_before) = of(""), of("_before")
    return Years(head, head_before, earned, earned_before)


def _fall(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Share lost since the year before; 0 where there was nothing or no sheet."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(before > 0, np.clip(1 - np.maximum(now, 0) / before, 0, 1), 0.0)


def _bills(cards: pd.DataFrame, years: Years, monitoring: float) -> np.ndarray:
    bills, bills_before = cards["bills"].fillna(0).to_numpy(), cards["bills_before"].fillna(0).to_numpy()
    left = years.head - bills / np.maximum(cards["members"].to_numpy(), 1)
    left_before = years.head_before - bills_before / np.maximum(cards["members_before"].to_numpy(), 1)
    sudden = ~(left_before < monitoring) & ((bills > 1.5 * bills_before) | np.isnan(years.head_before))
    hit = (bills >= LEAST_BILLS) & (left < monitoring) & sudden
    return np.where(hit, 0.6 + 0.35 * np.clip(1 - left / monitoring, 0, 1), 0.0)


def _death(cards: pd.DataFrame, years: Years) -> np.ndarray:
    fall = _fall(years.head, years.head_before)
    alone = (cards["workers"] == 0).to_numpy()
    hit = (cards["died"] > 0).to_numpy() & (fall >= DEATH_FALL)
    return np.where(hit, np.where(alone | (fall >= 0.4), 0.9, 0.75), 0.0)


def _disaster(cards: pd.DataFrame, years: Years) -> np.ndarray:
    struck = (cards["disaster"] == 1).to_numpy()
    house = (cards["unsafe"] == 1).to_numpy() & (cards["unsafe_before"] == 0).to_numpy()
    farm, farm_before = cards["business"].to_numpy(dtype=float), cards["business_before"].to_numpy(dtype=float)
    harvest = (_fall(farm, farm_before) >= HARVEST_LOST) & (_fall(years.head, years.head_before) >= OF_LIVING)
    return np.where(struck & (house | harvest), np.where(house, 0.85, 0.75), 0.0)


def _falling(years: Years, monitoring: float) -> np.ndarray:
    fall = _fall(years.head, years.head_before)
    hit = (fall >= FALL) & (_fall(years.earned, years.earned_before) >= FALL) & (years.head < NEAR * monitoring)
    return np.where(hit, 0.5 + 0.4 * fall, 0.0)
