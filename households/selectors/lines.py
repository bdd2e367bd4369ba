"""The income lines a form shows beside what is typed."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from django.db.models import F, Q

from households.domain.income import to_yuan
from households.models import IndexVersion


def income_lines(county: int | None) -> dict[int, Decimal]:
    """Yuan a head by accounting year: the county's version in force, else the city's default."""
    versions = IndexVersion.objects.in_force().filter(Q(division=county) | Q(division=None))
    own_last = versions.order_by("year", F("division").asc(nulls_first=True))
    return {version.year: to_yuan(version.system.income_line) for version in own_last}


def lines_of_all_counties() -> Mapping[int | None, dict[int, Decimal]]:
    """`income_lines` of every county in one query; a county without lines of its own has the city's."""
    own: dict[int | None, dict[int, Decimal]] = defaultdict(dict)
    for version in IndexVersion.objects.in_force():
        own[version.division_id][version.year] = to_yuan(version.system.income_line)
    city = own[None]
    lines: dict[int | None, dict[int, Decimal]] = defaultdict(lambda: city)
    return lines | {county: city | years for county, years in own.items()}
