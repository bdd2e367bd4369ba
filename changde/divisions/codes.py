"""Statistical codes of 12 digits: 4 digits city, 6 county, 9 township, 12 village; the rest zeros. Pure."""

from enum import IntEnum


class Level(IntEnum):
    CITY = 1
    COUNTY = 2
    TOWNSHIP = 3
    VILLAGE = 4


_SPAN = {Level.CITY: 10**8, Level.COUNTY: 10**6, Level.TOWNSHIP: 10**3, Level.VILLAGE: 1}


def level_of(code: int) -> Level:
    """The level a code's zeros say. Raises ValueError for what is no 12-digit code."""
    if not 10**11 <= code < 10**12:
        raise ValueError(f"{code} is not a 12-digit code")
    for level, span in _SPAN.items():
        if code % span == 0:
            return level
    raise AssertionError("a village code always fits")


def code_range(code: int) -> tuple[int, int]:
    """First and last code of the division and everything below it, both inclusive."""
    return code, code + _SPAN[level_of(code)] - 1


def ancestor(code: int, level: Level) -> int:
    """The code of the division of `level` that holds `code`."""
    return code - code % _SPAN[level]


def contains(outer: int, inner: int) -> bool:
    first, last = code_range(outer)
    return first <= inner <= last


def nearest_common(codes: list[int]) -> int:
    """The lowest division that holds all `codes`."""
    for level in (Level.VILLAGE, Level.TOWNSHIP, Level.COUNTY, Level.CITY):
        above = {ancestor(code, level) for code in codes}
        if len(above) == 1:
            return above.pop()
    raise ValueError("the codes lie in different cities")
