"""The cards of a county as the frame the detectors (domain.detection) read, out of Postgres by COPY."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from changde.bulk.copy import copy_out, sql_text
from households.domain.detection.income_model import MEANS

SQL = Path(__file__).parent / "sql"
HELPED = ("proposed", "registered", "monitored", "returned")
_KEYS = ("split_from", "split_days", "phone", "account", "address")
_TEXTS = ("number", "status", "attribute", "surname", "entered_by")


def _dtypes() -> dict[str, Any]:
    types: dict[str, Any] = {"household_id": "int64", "village_id": "int64"}
    types |= dict.fromkeys(_KEYS, "Int64") | dict.fromkeys(_TEXTS, "object")
    figures: tuple[str, ...] = (
        "earned",
        "official",
        "net_income",
        "wage_income",
        "business_income",
        "production_expenses",
    )
    figures += ("medical_cost", "other_transfer", "house_area", "road_distance", "entered_at", *MEANS)
    return types | dict.fromkeys(figures, "float64") | dict.fromkeys(("able", "ill", "away", "head_age"), "int64")


def detection_cards(*, year: int, first: int, last: int) -> pd.DataFrame:
    """One row per open household with a sheet of the year (sql/detection_cards.sql), ordered by id.

    With helped (in help by status), per_capita (declared net income a member, yuan) and clerk: the code of who typed
    the card, told apart by township; -1 where nobody is named.
    """
    parameters = {"year": year, "first": first, "last": last}
    cards = copy_out(sql_text(SQL / "detection_cards.sql"), parameters, dtype=_dtypes())
    cards["helped"] = cards["status"].isin(HELPED)
    cards["per_capita"] = cards["net_income"] / cards["members"].where(cards["members"] > 0)
    township = cards["village_id"] // 1000
    named = cards["entered_by"].notna()
    clerk = np.full(len(cards), -1)
    clerk[named] = pd.factorize(township[named].astype(str) + cards.loc[named, "entered_by"])[0]
    cards["clerk"] = clerk
    return cards


def typed_cards(*, year: int, first: int, last: int) -> set[int]:
    """Households whose sheet of the year was typed here, not brought by a file (sql/typed_cards.sql)."""
    parameters = {"year": year, "first": first, "last": last}
    found = copy_out(sql_text(SQL / "typed_cards.sql"), parameters, dtype={"household_id": "int64"})
    return set(found["household_id"].tolist())


def hardship_cards(*, year: int, first: int, last: int, deaths: Sequence[tuple[int, int, int]]) -> pd.DataFrame:
    """One row per household nobody helps (sql/hardship_cards.sql), ordered by id.

    `deaths`: versions of registers of deaths as (id, first and last village it speaks of).
    """
    parameters = {
        "year": year, "first": first, "last": last, "versions": [pk for pk, _first, _last in deaths],
        "firsts": [begin for _pk, begin, _last in deaths], "lasts": [end for _pk, _first, end in deaths],
    }  # fmt: skip
    years = ("members", "net", "wage", "business", "expenses", "bills", "unsafe")
    types: dict[str, Any] = {"household_id": "int64", "village_id": "int64", "workers": "int64", "died": "int64"}
    types |= dict.fromkeys(("disaster", *years, *(f"{name}_before" for name in years)), "float64")
    return copy_out(sql_text(SQL / "hardship_cards.sql"), parameters, dtype=types)


def kin_ties(*, year: int, county_first: int, county_last: int, first: int, last: int) -> pd.DataFrame:
    """Ties of households to village cadres (sql/kin_ties.sql)."""
    parameters = {
        "year": year, "county_first": county_first, "county_last": county_last, "first": first, "last": last,
    }  # fmt: skip
    types = {"household": "int64", "cadre": "int64", "rule": "object", "relation": "object", "post": "object"}
    return copy_out(sql_text(SQL / "kin_ties.sql"), parameters, dtype={**types, "same_village": "boolean"})


def numbers_twice(*, first: int, last: int) -> pd.DataFrame:
    """Members whose number is on another open card too (sql/numbers_twice.sql)."""
    types = {"household": "int64", "person": "int64", "others": "int64"}
    return copy_out(sql_text(SQL / "numbers_twice.sql"), {"first": first, "last": last}, dtype=types)
