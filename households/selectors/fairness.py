"""Comparisons of villages and of who types, as the page shows them."""

from typing import Any

from django.db.models import F, QuerySet

from changde.accounts.areas import between
from changde.divisions.codes import code_range
from changde.divisions.models import Division
from households.models import Comparison

SHOWN = 200
# What a column sorts by; the most striking first.
ORDERS: dict[str, Any] = {
    "bunching": F("bunching_q").asc(nulls_last=True),
    "rate": F("rate_q").asc(nulls_last=True),
    "digits": F("digit_q").asc(nulls_last=True),
    "typing": F("median_seconds").asc(nulls_last=True),
    "below": F("below_line").desc(),
    "cards": F("cards").desc(),
    "confirmed": F("confirmed").desc(),
    "name": F("area").asc(),
}


def comparisons(user: Any, *, division: Division | None, unit: str, order: str) -> QuerySet[Comparison]:
    """The latest year's comparisons of the user's area (of `division` where one is worked in), in an order."""
    rows = Comparison.objects.visible_to(user)
    if division is not None:
        rows = rows.filter(between("area", *code_range(division.code)))
    latest = rows.order_by("-year").values_list("year", flat=True).first()
    return rows.filter(year=latest, unit=unit).order_by(ORDERS[order], "area", "name")


def place_names(rows: list[Comparison]) -> dict[int, str]:
    """Full enough names of the areas: township and village."""
    codes = {row.area for row in rows} | {row.area // 1000 * 1000 for row in rows}
    names = dict(Division.objects.filter(code__in=codes).values_list("code", "name"))
    return {
        row.area: f"{names.get(row.area // 1000 * 1000, '')} {names.get(row.area, '')}".strip()
        if row.area % 1000
        else names.get(row.area, "")
        for row in rows
    }
