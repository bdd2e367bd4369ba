"""Comparisons of who types and of villages, written anew for a county and year by each search for leads."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction

from changde.accounts.areas import between
from changde.audit.services import record
from changde.divisions.codes import code_range
from households import detection_frames as frames
from households.domain.detection import bunching, digits, typing_speed, village_rate
from households.models import Comparison, Finding
from households.services.card_patterns import AMOUNTS, County, expected_help


@transaction.atomic
def compare(county: County) -> int:
    """Write the county's comparisons of the year; returns how many."""
    first, last = code_range(county.code)
    Comparison.objects.filter(between("area", first, last), year=county.year).delete()
    decided = _decided(county)
    # A file names who typed and when, elsewhere and as it likes: only what was saved here says how long a card took.
    typed = frames.typed_cards(year=county.year, first=first, last=last)
    typed_at = county.cards["entered_at"].where(county.cards["household_id"].isin(typed))
    county = replace(county, cards=county.cards.assign(entered_at=typed_at))
    rows = _clerks(county, decided) + _villages(county, decided)
    Comparison.objects.bulk_create(rows, batch_size=2000)
    record("leads.compare", by=None, area=county.code, year=county.year, units=len(rows))
    return len(rows)


def _decided(county: County) -> pd.DataFrame:
    """Decided leads by household: columns decided, confirmed."""
    first, last = code_range(county.code)
    leads = Finding.objects.of_leads().filter(between("village_id", first, last), year=county.year)
    pairs = leads.filter(decision__in=["confirmed", "dismissed"]).values_list("household_id", "decision")
    frame = pd.DataFrame(list(pairs), columns=["household_id", "decision"])
    frame["confirmed"] = frame["decision"] == "confirmed"
    return frame.groupby("household_id").agg(decided=("confirmed", "size"), confirmed=("confirmed", "sum"))


def _clerks(county: County, decided: pd.DataFrame) -> list[Comparison]:
    cards = county.cards[county.cards["clerk"] >= 0]
    if cards.empty:
        return []
    codes = pd.factorize(cards["clerk"], sort=True)[0]
    of = _shared(county, cards, codes, decided)
    classes = digits.digit_class(cards[list(AMOUNTS)].to_numpy())
    preferred = digits.preference(classes.ravel(), np.repeat(codes, len(AMOUNTS)), len(of))
    of["digit_excess"], of["digit_q"] = preferred["excess"].where(preferred["q"].notna()), preferred["q"]
    first = cards.groupby(codes).first()
    of["area"], of["name"] = first["village_id"] // 1000 * 1000, first["entered_by"]
    return _rows(of, Comparison.Unit.CLERK, county.year)


def _villages(county: County, decided: pd.DataFrame) -> list[Comparison]:
    cards = county.cards
    if cards.empty:
        return []
    codes, places = pd.factorize(cards["village_id"], sort=True)
    of = _shared(county, cards, codes, decided)
    of["area"], of["name"] = places, ""
    if county.model is not None and cards["helped"].any():
        rates = village_rate.village_rates(expected_help(county), cards["helped"].to_numpy(dtype=float), codes)
        of["helped_expected"], of["rate_q"] = rates["expected"], rates["q"]
    return _rows(of, Comparison.Unit.VILLAGE, county.year)


def _shared(county: County, cards: pd.DataFrame, codes: np.ndarray, decided: pd.DataFrame) -> pd.DataFrame:
    """What both kinds of unit have, a row a code."""
    count = int(codes.max()) + 1
    per_capita = cards["per_capita"].to_numpy()
    known = ~np.isnan(per_capita)
    bunched = bunching.bunching(per_capita[known], codes[known], county.line).reindex(range(count))
    since = typing_speed.gaps(cards["entered_at"].to_numpy(), cards["clerk"].to_numpy())
    leads = decided.reindex(cards["household_id"]).fillna(0)
    return pd.DataFrame(
        {
            "cards": np.bincount(codes, minlength=count),
            "below_line": np.bincount(codes, per_capita < county.line, count) / np.bincount(codes, minlength=count),
            "window_below": bunched["below"].fillna(0),
            "window_above": bunched["above"].fillna(0),
            "expected_below": bunched["above"] * bunched["share"] / (1 - bunched["share"]),
            "bunching_q": bunched["q"],
            "median_seconds": pd.Series(since).groupby(codes).median().reindex(range(count)),
            "helped": np.bincount(codes, cards["helped"].to_numpy(dtype=float), count),
            "decided": np.bincount(codes, leads["decided"].to_numpy(dtype=float), count),
            "confirmed": np.bincount(codes, leads["confirmed"].to_numpy(dtype=float), count),
        }
    )


_COUNTS = frozenset({"cards", "window_below", "window_above", "helped", "decided", "confirmed", "area"})


def _rows(of: pd.DataFrame, unit: str, year: int) -> list[Comparison]:
    return [
        Comparison(unit=unit, year=year, **{str(name): _plain(str(name), value) for name, value in row.items()})
        for row in of.to_dict("records")
    ]


def _plain(name: str, value: Any) -> Any:
    if name == "name":
        return value
    if name in _COUNTS:
        return int(value)
    return None if math.isnan(value) else float(value)
