"""Leads of sudden hardship: households nobody helps that fell on hard times within the year (domain.detection)."""

from collections.abc import Iterator
from typing import Any

from changde.divisions.codes import Level, ancestor, code_range
from households import detection_frames as frames
from households.domain.detection.sudden_hardship import hardships
from households.models import Finding, RegisterVersion
from households.services.index_versions import version_for
from households.services.leads import Hit

KINDS = (Finding.Kind.SUDDEN_HARDSHIP,)


def hits(*, first: int, last: int, year: int) -> Iterator[Hit]:
    """A hit for each household and rule in the villages of a code range, county by county."""
    versions = RegisterVersion.objects.in_force().filter(kind="death").values_list("pk", "division_id")
    deaths = [(pk, *code_range(division)) for pk, division in versions]
    for county in range(ancestor(first, Level.COUNTY), last + 1, 10**6):
        here = max(first, county), min(last, code_range(county)[1])
        cards = frames.hardship_cards(year=year, first=here[0], last=here[1], deaths=deaths)
        if cards.empty:
            continue
        line = version_for(county=county, year=year).system.monitoring_line / 100
        row: Any
        for row in hardships(cards, line).itertuples(index=False):
            facts = {"year": year, "head": _yuan(row.head), "before": _yuan(row.head_before), "bills": _yuan(row.bills)}
            basis = f"{year} {row.rule} {facts['head']} {facts['bills']}"
            yield Hit(int(row.household_id), KINDS[0], row.rule, float(row.score), facts, basis=basis)


def _yuan(amount: float) -> int | None:
    return None if amount != amount else int(amount)
