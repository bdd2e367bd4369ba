"""Leads from the cards alone: incomes far below means, bunching, digits, typing, paper splits, ties, villages' rates.

The models are of a county: whatever part of it is asked for, its cards are read whole and the hits of the part handed
on, so that a village gets the same leads from a run of its own and from the city's.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from changde.divisions.codes import Level, ancestor, code_range
from households import detection_frames as frames
from households.domain.detection import bunching as bunches
from households.domain.detection import digits, income_model, kin, paper_split, typing_speed, village_rate
from households.domain.yearly_standard import Standard
from households.models import Finding
from households.selectors.standards import standard_of
from households.services.index_versions import version_for
from households.services.leads import Hit

Kind = Finding.Kind
KINDS = (
    Kind.INCOME_IMPLAUSIBLE, Kind.BUNCHING, Kind.DIGIT_PREFERENCE, Kind.TYPING_SPEED, Kind.PAPER_SPLIT, Kind.KIN,
    Kind.VILLAGE_RATE,
)  # fmt: skip
# Which lines of the county's standard say what a unit of a mean brings.
_OF_STANDARD = {
    ("crop", "irrigated_land"): "irrigated",
    ("crop", "dry_land"): "dry_land",
    ("crop", "orchard"): "orchard",
    ("crop", "forest_land"): "forest",
    ("crop", "water_surface"): "water_surface",
    ("animal", "pigs"): "pigs",
    ("animal", "cattle"): "cattle",
    ("animal", "sheep"): "sheep",
    ("animal", "poultry"): "poultry",
}
_OF_WAGES = {
    "乡镇内务工": "months_township",
    "乡镇外县内务工": "months_county",
    "县外省内务工": "months_province",
    "省外务工": "months_outside",
}
ALIKE = 0.6  # share of a card's amounts in the digits its clerk prefers from which the card is told
AMOUNTS = ("wage_income", "business_income", "production_expenses", "medical_cost")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class County:
    """What the detectors look at: the county's cards and model of a year, and the lines in force (yuan a head)."""

    code: int
    year: int
    cards: pd.DataFrame
    model: income_model.IncomeModel | None
    line: float
    monitoring: float


def county_of(*, county: int, year: int) -> County:
    """Read and fit. Refuses where the county has no index version of the year."""
    system = version_for(county=county, year=year).system
    first, last = code_range(county)
    cards = frames.detection_cards(year=year, first=first, last=last)
    model = income_model.fit(cards, prior_of(standard_of(county, year)))
    return County(county, year, cards, model, system.income_line / 100, system.monitoring_line / 100)


def prior_of(standard: Standard | None) -> dict[str, float]:
    """Yuan a unit of the means the county's yearly standard knows: the middle of what is left after costs."""
    found: dict[str, float] = {}
    for rate in standard.rates if standard else ():
        mean = _OF_STANDARD.get((rate.kind, rate.proposed_by))
        if mean and rate.net_low is not None and rate.net_high is not None:
            found[mean] = (rate.net_low + rate.net_high) / 200
        if standard and rate.kind == "wage" and rate.item in _OF_WAGES:
            found[_OF_WAGES[rate.item]] = (rate.low * standard.days_low + rate.high * standard.days_high) / 200
    return found


def hits(*, first: int, last: int, year: int) -> Iterator[Hit]:
    """Every sign in the villages of a code range, county by county."""
    for county in range(ancestor(first, Level.COUNTY), last + 1, 10**6):
        yield from county_hits(county_of(county=county, year=year), first=max(first, county), last=last)


def county_hits(county: County, *, first: int, last: int) -> Iterator[Hit]:
    if county.cards.empty:
        return
    here = county.cards["village_id"].between(first, last)
    inside = set(county.cards.loc[here, "household_id"].tolist())
    for detect in (_incomes, _bunching, _digits, _typing, _splits, _rates):
        yield from (hit for hit in detect(county) if hit.household in inside)
    yield from _ties(county, first, min(last, code_range(county.code)[1]))


def _incomes(county: County) -> Iterator[Hit]:
    if county.model is None:
        return
    need = income_model.Need(helped_below=county.monitoring, expected_from=1.2 * county.line)
    found = income_model.implausible(county.cards, county.model, need)
    cards = county.cards.loc[found.index]
    row: Any
    for household, row in zip(cards["household_id"].tolist(), found.itertuples(index=False), strict=True):
        facts = {
            "expected": int(row.expected),
            "declared": int(row.declared),
            "parts": [[name, units, yuan] for name, units, yuan in row.parts],
        }
        yield _hit(household, Kind.INCOME_IMPLAUSIBLE, "income_below_means", row.score, facts, county, row.declared)


def _bunching(county: County) -> Iterator[Hit]:
    told: set[int] = set()
    for rule, unit in (("bunching_clerk", "clerk"), ("bunching_village", "village")):
        cards, codes = _coded(county.cards[county.cards["per_capita"].notna()], unit)
        if not len(cards):
            continue
        households, per_capita = cards["household_id"].to_numpy(), cards["per_capita"].to_numpy()
        found = bunches.bunching(per_capita, codes, county.line)
        below = bunches.in_window_below(per_capita, county.line)
        bunched = (found["q"].fillna(1.0) <= bunches.RATE).to_numpy()
        for position in np.flatnonzero(below & bunched[codes]):
            of, household = found.iloc[codes[position]], int(households[position])
            if household in told:
                continue
            told.add(household)
            facts = {
                "below": int(of["below"]),
                "above": int(of["above"]),
                "expected": round(float(of["above"] * of["share"] / (1 - of["share"])), 1),
                "line": round(county.line),
                "q": _short(of["q"]),
            }
            yield _hit(household, Kind.BUNCHING, rule, of["excess"] * (1 - of["q"]), facts, county)


def _digits(county: County) -> Iterator[Hit]:
    cards, codes = _coded(county.cards, "clerk")
    if not len(cards):
        return
    households = cards["household_id"].to_numpy()
    classes = digits.digit_class(cards[list(AMOUNTS)].to_numpy())
    unit = np.repeat(codes, len(AMOUNTS))
    found = digits.preference(classes.ravel(), unit, int(codes.max()) + 1)
    for code in np.flatnonzero(found["found"].to_numpy()):
        of = found.iloc[code]
        rows = np.flatnonzero(codes == code)
        prefers = np.isin(classes[rows], of["preferred"]) & (classes[rows] >= 0)
        said = (classes[rows] >= 0).sum(axis=1)
        for row, like, all_of in zip(rows.tolist(), prefers.sum(axis=1).tolist(), said.tolist(), strict=True):
            if all_of >= 2 and like >= ALIKE * all_of:
                facts = {"amounts": int(of["amounts"]), "excess": round(float(of["excess"]), 3), "q": _short(of["q"])}
                score = min(0.95, float(of["excess"]) * (1 - float(of["q"])) + 0.1 * (like - 2))
                household = int(households[row])
                yield _hit(household, Kind.DIGIT_PREFERENCE, "digits_of_clerk", score, facts, county)


def _typing(county: County) -> Iterator[Hit]:
    cards, codes = _coded(county.cards, "clerk")
    if not len(cards):
        return
    households = cards["household_id"].to_numpy()
    at, members = cards["entered_at"].to_numpy(), cards["members"].to_numpy()
    since = typing_speed.gaps(at, codes)
    found = typing_speed.fast(since, members, codes, int(codes.max()) + 1)
    told = typing_speed.in_runs(at, codes, typing_speed.is_short(since, members)) & found["found"].to_numpy()[codes]
    for position in np.flatnonzero(told):
        of = found.iloc[codes[position]]
        facts = {
            "seconds": int(since[position]),
            "short": int(of["short"]),
            "gaps": int(of["gaps"]),
            "q": _short(of["q"]),
        }
        score = float(of["excess"]) * (1 - float(of["q"])) * 0.9
        yield _hit(int(households[position]), Kind.TYPING_SPEED, "typed_fast", score, facts, county)


def _splits(county: County) -> Iterator[Hit]:
    found = paper_split.paper_splits(county.cards, county.line)
    numbers = county.cards.set_index("household_id")["number"]
    row: Any
    for row in found.itertuples(index=False):
        number = numbers[row.other]
        facts = {"other": str(row.other if pd.isna(number) else number), "evidence": list(row.evidence)}
        yield _hit(int(row.household_id), Kind.PAPER_SPLIT, "split_on_paper", row.score, facts, county)


def _rates(county: County) -> Iterator[Hit]:
    cards = county.cards
    helped = cards["helped"].to_numpy(dtype=float)
    if county.model is None or not helped.any():
        return
    chance, village = expected_help(county), pd.factorize(cards["village_id"], sort=True)[0]
    rates = village_rate.village_rates(chance, helped, village)
    score = village_rate.surplus(rates, chance, helped, village)
    households = cards["household_id"].to_numpy()
    for position in np.flatnonzero(score > 0):
        of = rates.iloc[village[position]]
        facts = {
            "helped": int(of["helped"]),
            "cards": int(of["cards"]),
            "expected": round(float(of["expected"]), 1),
            "q": _short(of["q"]),
        }
        household = int(households[position])
        yield _hit(household, Kind.VILLAGE_RATE, "village_helps_more", score[position], facts, county)


def expected_help(county: County) -> np.ndarray:
    """Chance of each household to be helped by its conditions; needs the county's model."""
    cards, wealth = county.cards, _wealth(county)
    conditions = np.column_stack(
        [
            np.log(np.maximum(wealth, 0.05)),
            np.minimum(wealth, 1.0),
            cards["able"] == 0,
            cards["ill"],
            cards["old"] / np.maximum(cards["members"], 1),
            cards["unsafe_house"],
            cards["cars"] + cards["flats"] + cards["companies"] + cards["payroll"],
        ]
    ).astype(float)
    return village_rate.helped_chance(conditions, cards["helped"].to_numpy(dtype=float))


def _wealth(county: County) -> np.ndarray:
    """Expected income a head in lines."""
    cards = county.cards
    if county.model is None:
        return np.full(len(cards), np.nan)
    expected = county.model.expected(cards) + cards["official"].to_numpy()
    return expected / np.maximum(cards["members"].to_numpy(), 1) / county.line


def _ties(county: County, first: int, last: int) -> Iterator[Hit]:
    county_first, county_last = code_range(county.code)
    ties = frames.kin_ties(year=county.year, county_first=county_first, county_last=county_last, first=first, last=last)
    cards = county.cards
    # Who only lives poorly, without help, is favored by nobody.
    ties = ties[ties["household"].isin(cards.loc[cards["helped"], "household_id"])]
    if ties.empty:
        return
    at = pd.Series(cards.index, index=cards["household_id"])[ties["household"]].to_numpy()
    of = cards.loc[at]
    owns = (of[["cars", "flats", "companies", "payroll"]].sum(axis=1) > 0).to_numpy()
    scores = kin.kin_scores(ties["rule"], _wealth(county)[at], owns)
    best = ties.assign(score=scores).sort_values(["household", "score", "cadre"], ascending=[True, False, True])
    row: Any
    for row in best[best["score"] >= kin.CLEAR].drop_duplicates("household").itertuples(index=False):
        facts = {
            "cadre": int(row.cadre),
            "post": row.post,
            "relation": "" if pd.isna(row.relation) else row.relation,
            "same_village": bool(row.same_village),
        }
        yield _hit(int(row.household), Kind.KIN, row.rule, row.score, facts, county)


def _coded(cards: pd.DataFrame, unit: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The cards of known units, and the code of each one's unit."""
    if unit == "village":
        return cards, pd.factorize(cards["village_id"], sort=True)[0]
    named = cards[cards["clerk"] >= 0]
    return named, pd.factorize(named["clerk"], sort=True)[0]


def _short(value: Any) -> float:
    return float(f"{float(value):.2g}")


def _hit(household: int, kind: str, rule: str, score: float, facts: dict, county: County, stands_on: Any = "") -> Hit:
    """A decided lead comes again when the year changes or what it stands on, not when the neighbours' figures do."""
    return Hit(household, kind, rule, round(float(score), 3), facts, basis=f"{county.year} {stands_on}")
