"""The income lines a form shows beside what is typed."""

from decimal import Decimal

from django.db.models import F, Q

from households.domain.income import to_yuan
from households.models import IndexVersion


def income_lines(county: int | None) -> dict[int, Decimal]:
    """Yuan a head by accounting year: the county's version in force, else the city's default."""
    versions = IndexVersion.objects.in_force().filter(Q(division=county) | Q(division=None))
    own_last = versions.order_by("year", F("division").asc(nulls_first=True))
    return {version.year: to_yuan(version.system.income_line) for version in own_last}
