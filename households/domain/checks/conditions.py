"""Checks of house, land, water, road and power."""

from collections.abc import Iterator

from households.domain.card import Card, Finding
from households.domain.checks.core import Context, check, red, yellow
from households.domain.checks.income import LAND


@check("house-area")
def house_area(card: Card, context: Context) -> Iterator[Finding]:
    least, most = context.limits.house_least, context.limits.house_most
    area = card.sheet.house_area
    if area is None or (area >= 0 and not least <= area <= most):
        yield yellow("house-area", "house_area")


@check("house-grade")
def house_grade(card: Card, context: Context) -> Iterator[Finding]:
    unsafe, grade = card.sheet.unsafe_house, card.sheet.house_grade
    if unsafe is not None and grade is not None and unsafe != (grade in {"C级", "D级"}):
        yield red("house-grade", "house_grade", "unsafe_house")


@check("water")
def water(card: Card, context: Context) -> Iterator[Finding]:
    difficult, safe = card.sheet.water_difficult, card.sheet.water_safe
    if difficult is None or safe is None or (difficult and safe):
        yield yellow("water", "water_difficult", "water_safe")


@check("land-range")
def land_range(card: Card, context: Context) -> Iterator[Finding]:
    limits = context.limits
    wide = {"forest_land", "converted_forest", "orchard"}
    for name in LAND:
        area = getattr(card.sheet, name)
        most = limits.forest_area if name in wide else limits.field_area
        if name != "irrigated_land" and (area is None or area > most):
            yield yellow("land-range", name)


@check("land-negative")
def land_negative(card: Card, context: Context) -> Iterator[Finding]:
    for name in (*LAND, "house_area"):
        if (getattr(card.sheet, name) or 0) < 0:
            yield red("land-negative", name)


@check("irrigated")
def irrigated(card: Card, context: Context) -> Iterator[Finding]:
    total, watered = card.sheet.cultivated_land, card.sheet.irrigated_land
    if total is not None and watered is not None and watered > total >= 0:
        yield red("irrigated", "irrigated_land", "cultivated_land")


@check("road-distance")
def road_distance(card: Card, context: Context) -> Iterator[Finding]:
    sheet = card.sheet
    if sheet.entrance_road is None or (sheet.road_distance or 0) > context.limits.road_km:
        yield yellow("road-distance", "road_distance", "entrance_road")


@check("power")
def power(card: Card, context: Context) -> Iterator[Finding]:
    if card.sheet.domestic_power is False:
        yield yellow("power", "domestic_power")
