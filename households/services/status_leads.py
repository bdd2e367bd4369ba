"""Leads that outcome and status name (domain.status_leads): produced from the results readers see.

An area's are kept after a run of the index and every night; a card that is recomputed alone keeps its own at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from changde.accounts.areas import between
from changde.accounts.models import User
from changde.bulk.copy import sql_text
from changde.divisions.codes import Level, ancestor, code_range, level_of
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households.domain import status_leads as domain
from households.domain.status_leads import Standing, YearBefore, lead_of
from households.models import IndexVersion, TownshipPointer
from households.services.leads import Hit, KeptLeads, keep_household_leads, keep_leads

JOB = "find_status_leads"
KINDS = domain.KINDS
CITY = 430700000000
_SQL = Path(__file__).parent.parent / "sql/status_leads.sql"


def hits(*, first: int, last: int, year: int, households: Sequence[int] | None = None) -> Iterator[Hit]:
    """A hit for every household of the code range (or of those given) whose outcome of the year asks for one."""
    wanted = None if households is None else list(households)
    with connection.cursor() as cursor:
        cursor.execute(sql_text(_SQL), {"year": year, "first": first, "last": last, "households": wanted})
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    systems = _systems({row["version_id"] for row in rows})
    for row in rows:
        hit = _hit(row, systems[row["version_id"]], year)
        if hit is not None:
            yield hit


def keep_area(*, area: int, year: int) -> KeptLeads:
    """Bring the status leads of a county, township or village to its results of the year."""
    first, last = code_range(area)
    return keep_leads(hits(first=first, last=last, year=year), kinds=KINDS, area=area, year=year)


def keep_households(*, townships: Mapping[int, int], year: int) -> None:
    """The same for single cards (household -> township), at the price of a card. Only the latest year names leads."""
    pointers = TownshipPointer.objects.filter(township__in=set(townships.values())).order_by()
    latest = dict(pointers.values_list("township").annotate(Max("year")))
    households = sorted(each for each, township in townships.items() if latest.get(township) == year)
    if households:
        places = {townships[each] for each in households}
        (first, _), (_, last) = code_range(min(places)), code_range(max(places))
        found = hits(first=first, last=last, year=year, households=households)
        keep_household_leads(found, kinds=KINDS, households=households, year=year)


def keep_household(*, household: int, village: int) -> None:
    """After a change of status: the outcome stays, what it says against the status does not."""
    township = ancestor(village, Level.TOWNSHIP)
    year = latest_year(township)
    if year is not None:
        keep_households(townships={household: township}, year=year)


def latest_year(area: int) -> int | None:
    """The latest year of which the area shows results: older ones name no leads."""
    pointers = TownshipPointer.objects.filter(between("township_id", *code_range(area)))
    return pointers.aggregate(year=Max("year"))["year"]


@transaction.atomic
def start(*, area: int = CITY, by: User | None = None) -> list[Job]:
    """One job for each county of the area (an area below it is one job itself)."""
    if level_of(area) >= Level.COUNTY:
        places = [area]
    else:
        counties = Division.objects.current().filter(level=Level.COUNTY).filter(between("code", *code_range(area)))
        places = list(counties.order_by("code").values_list("code", flat=True))
    shown = [(place, year) for place in places if (year := latest_year(place)) is not None]
    return [enqueue(JOB, by=by, area=place, parameters={"area": place, "year": year}) for place, year in shown]


def _systems(versions: set[int]) -> dict[int, Any]:
    """Version -> (line, monitoring line) in fen and the ids of its guarantees in the order of their bits."""
    rows = IndexVersion.objects.filter(pk__in=versions)
    return {
        row.pk: (row.system.income_line, row.system.monitoring_line, [veto.id for veto in row.system.vetoes])
        for row in rows
    }


def _hit(row: dict[str, Any], system: tuple[int, int, list[str]], year: int) -> Hit | None:
    line, monitoring, guarantees = system
    net, members = row["net_income"], row["members"]
    deciding = line if row["outcome"] == "absolute" and net is not None and net < line * members else monitoring
    found = lead_of(
        Standing(
            status=row["status"],
            outcome=row["outcome"],
            below_monitoring=row["below_monitoring_line"],
            guarantee_gap=row["guarantee_gap"],
            excluded=row["excluded"],
            monitored_kind=row["monitored_kind"],
            helped_through=not row["helped_since"],
            burdened=_burdened(net, row["bills"], members, monitoring),
            before=_before(row, line, monitoring),
            distance=(net - deciding * members) / (deciding * members) if net is not None and members else None,
        )
    )
    if found is None:
        return None
    parameters: dict[str, Any] = {
        "outcome": row["outcome"], "status": row["status"], "year": year, "net_income": net, "members": members,
        "line": line, "monitoring_line": monitoring, "guarantees": _names(row["missing"], guarantees),
    }  # fmt: skip
    if row["excluded"]:
        parameters["excluded"] = True
    if row["before_outcome"]:
        parameters["before"] = {
            "outcome": row["before_outcome"], "net_income": row["before_net_income"], "members": row["before_members"],
        }  # fmt: skip
    basis = "\t".join(map(str, (year, row["status"], row["outcome"], net, members, row["missing"])))
    return Hit(row["household_id"], found.kind, found.rule, found.score, parameters, basis=basis)


def _before(row: dict[str, Any], line: int, monitoring: int) -> YearBefore | None:
    """Last year's result, its facts judged by this year's lines."""
    outcome, net, members = row["before_outcome"], row["before_net_income"], row["before_members"]
    if not outcome or outcome == "undetermined" or net is None or not members:
        return None
    poor = net < line * members or (net < monitoring * members and bool(row["before_missing"]))
    return YearBefore(outcome, poor, _burdened(net, row["before_bills"], members, monitoring))


def _burdened(net: int | None, bills: int | None, members: int | None, monitoring: int) -> bool:
    """Fen: what was paid for illness leaves less than the monitoring line a head."""
    return net is not None and bool(members) and net - (bills or 0) < monitoring * (members or 0)


def _names(bits: int, guarantees: Sequence[str]) -> list[str]:
    return [name for place, name in enumerate(guarantees) if bits >> place & 1]
