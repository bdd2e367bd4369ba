"""Households split on paper: two cards that seem to be one household.

Each pair of cards that share a trace (one split from the other, the same account, phone, house or a rare address) is
weighed: the log odds of its evidence are added to those of a pair at random. Told is the part that is helped, and only
where the pair has the shape that pays: that part is poor by itself (nobody able to work, or below the line), the other
one is not. Weights are judgement, in natural log odds; docs/findings.md says how they were tried.
"""

from itertools import combinations

import numpy as np
import pandas as pd

BASE = -4.5
WEIGHTS = {
    "split": 2.0,  # one card was split from the other
    "split_before_year_end": 1.0,  # in the year before the last day of the accounting year
    "account": 2.5,
    "phone": 1.5,
    "house": 2.5,  # one village, the same house area and the same distance to the road
    "address": 1.5,  # an address that at most RARE cards of the village have
    "parent_and_child": 1.2,  # one surname, the heads a generation apart
    "poor_part_alone": 1.5,  # nobody able to work here, able members there
    "other_part_well_off": 1.0,  # the other part is above WELL_OFF lines a head
}
TRACES = ("split", "account", "phone", "house", "address")
RARE = 3
MANY = 4  # cards that share a phone or an account: more of them say who typed, not who lives together
GENERATION = (16, 50)
WELL_OFF = 1.5
CLEAR = 0.4


def paper_splits(cards: pd.DataFrame, line: float) -> pd.DataFrame:
    """Helped parts of pairs that look like one household.

    `cards`, a row a household: household_id, village_id, phone, account, address, surname (keys for equality, NA
    unknown), split_from (household_id), split_days (days from its split to the year's end, NA none), house_area,
    road_distance, head_age, able (members), per_capita (yuan), helped. `line`: yuan a head.

    Columns household_id, other (household_id), score, evidence (names of WEIGHTS that apply).
    """
    pairs = _pairs(cards)
    rows = []
    at: dict[str, list] = {str(name): cards[name].tolist() for name in cards}
    for first, second in sorted(pairs):
        traces = pairs[first, second]
        for one, other in ((first, second), (second, first)):
            if not at["helped"][one]:
                continue
            evidence = sorted(traces) + _shape(at, one, other, line)
            if "split" in evidence and _recent(at, one, other):
                evidence.append("split_before_year_end")
            poor = at["able"][one] == 0 or at["per_capita"][one] < line
            if not poor or not {"poor_part_alone", "other_part_well_off"} & set(evidence):
                continue
            odds = BASE + sum(WEIGHTS[name] for name in evidence)
            score = float(1 / (1 + np.exp(-odds)))
            if score >= CLEAR:
                rows.append((at["household_id"][one], at["household_id"][other], score, evidence))
    found = pd.DataFrame(rows, columns=["household_id", "other", "score", "evidence"])
    return found.sort_values(["household_id", "score"], ascending=[True, False]).drop_duplicates("household_id")


def _shape(at: dict[str, list], one: int, other: int, line: float) -> list[str]:
    found = []
    gap = abs(at["head_age"][one] - at["head_age"][other])
    if at["surname"][one] == at["surname"][other] and GENERATION[0] <= gap <= GENERATION[1]:
        found.append("parent_and_child")
    if at["able"][one] == 0 and at["able"][other] > 0:
        found.append("poor_part_alone")
    if at["per_capita"][other] >= WELL_OFF * line:
        found.append("other_part_well_off")
    return found


def _recent(at: dict[str, list], one: int, other: int) -> bool:
    return any(0 <= days <= 366 for days in (at["split_days"][one], at["split_days"][other]) if not pd.isna(days))


def _pairs(cards: pd.DataFrame) -> dict[tuple[int, int], set[str]]:
    """Positions of cards that share a trace, and which."""
    found: dict[tuple[int, int], set[str]] = {}
    cards = cards.reset_index(drop=True)
    keys = {
        "account": (["account"], MANY),
        "phone": (["phone"], MANY),
        "house": (["village_id", "house_area", "road_distance"], 2),
        "address": (["village_id", "address"], RARE),
    }
    for name, (columns, most) in keys.items():
        known = cards[cards[columns].notna().all(axis=1)]
        sizes = known.groupby(columns)[columns[0]].transform("size")
        shared = known[(sizes > 1) & (sizes <= most)]
        for positions in shared.groupby(columns).indices.values():
            for pair in combinations(sorted(shared.index[positions].tolist()), 2):
                found.setdefault(pair, set()).add(name)
    position = pd.Series(cards.index, index=cards["household_id"])
    children = cards[cards["split_from"].isin(position.index)]
    for child, parent in zip(children.index.tolist(), position[children["split_from"]].tolist(), strict=True):
        found.setdefault((min(child, parent), max(child, parent)), set()).add("split")
    return found
