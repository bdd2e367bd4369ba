"""All leads of an area: every producer's hits, kept; as a job by county, nightly, and for the command.

A producer is a module of the services with `hits(*, first, last, year) -> Iterator[Hit]` and KINDS. Counties are the
unit: their models are fitted whole, memory stays that of one county.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from changde.accounts.areas import between
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.divisions.codes import Level, ancestor, code_range, level_of
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households import detection_frames
from households.domain.priority import Said, doubt_of, weight_of
from households.lead_messages import sentence
from households.models import Finding, Household, HouseholdStatus, Sheet
from households.services import card_patterns, hardship_leads, index_runs, register_comparison, status_leads
from households.services.comparisons import compare
from households.services.leads import Hit, keep_leads

AREA_JOB, COUNTY_JOB = "detect_leads", "detect_leads_of_county"
CITY = 430700000000
PRODUCERS: tuple[ModuleType, ...] = (card_patterns, register_comparison, status_leads, hardship_leads)

Progress = Callable[[int, int], None]


@dataclass
class Detected:
    """How many leads were opened, changed and closed."""

    opened: int = 0
    changed: int = 0
    closed: int = 0


def areas_of(division: int) -> list[int]:
    """The division itself, or of the city its counties that have cards."""
    if level_of(division) != Level.CITY:
        return [division]
    villages = Household.objects.filter(between("village_id", *code_range(division))).order_by()
    return sorted(
        {ancestor(village, Level.COUNTY) for village in villages.values_list("village_id", flat=True).distinct()}
    )


def find(
    *, division: int, year: int, kinds: Iterable[str] = (), progress: Progress = lambda done, total: None
) -> Iterator[Hit]:
    """The hits of an area, as they come; only of these kinds where some are named."""
    wanted, steps = set(kinds), areas_of(division)
    for done, area in enumerate(steps):
        progress(done, len(steps))
        first, last = code_range(area)
        for producer in PRODUCERS:
            if not wanted or wanted & set(producer.KINDS):
                found = producer.hits(first=first, last=last, year=year)
                yield from (hit for hit in found if not wanted or hit.kind in wanted)
        if not wanted or Finding.Kind.DUPLICATE_NUMBER in wanted:
            yield from numbers_twice(first=first, last=last)
    progress(len(steps), len(steps))


def numbers_twice(*, first: int, last: int) -> Iterator[Hit]:
    """Numbers on two cards: for who prints them; they are decided at the desk for duplicates, not kept as leads."""
    seen = set()
    row: Any
    for row in detection_frames.numbers_twice(first=first, last=last).itertuples(index=False):
        seen.add(row.household)
        yield Hit(
            row.household, Finding.Kind.DUPLICATE_NUMBER, "number_twice", 0.98, {"others": row.others}, row.person
        )
    waiting = Finding.objects.open().filter(kind=Finding.Kind.DUPLICATE_NUMBER)
    for household in waiting.filter(between("village_id", first, last)).values_list("household", flat=True).distinct():
        if household not in seen:
            yield Hit(household, Finding.Kind.DUPLICATE_NUMBER, "number_wanted", 0.95, {})


def keep(*, division: int, year: int, progress: Progress = lambda done, total: None) -> Detected:
    """Find and keep the leads of an area, producer by producer, each in one transaction; of whole counties compare too.

    Progress counts the producers of each county: telling it is where a job may be cancelled.
    """
    detected, areas, made_by = Detected(), areas_of(division), PRODUCERS
    total, done = len(areas) * (len(made_by) + 1), 0
    for area in areas:
        first, last = code_range(area)
        for producer in made_by:
            progress(done, total)
            kept = keep_leads(
                producer.hits(first=first, last=last, year=year), kinds=producer.KINDS, area=area, year=year
            )
            detected.opened += kept.opened
            detected.changed += kept.changed
            detected.closed += kept.closed
            done += 1
        if level_of(area) == Level.COUNTY:
            compare(card_patterns.county_of(county=area, year=year))
        done += 1
    progress(total, total)
    return detected


# -- jobs ------------------------------


def start(*, division: Division, by: User | None) -> Job:
    """Look for leads in the background; a run over the same area that is open is answered with itself.

    Refuses where the area has no cards.
    """
    year = index_runs.latest_year(division=division)
    with transaction.atomic():
        running = Job.objects.filter(kind=AREA_JOB, area=division.code, state__in=Job.OPEN).order_by("pk").first()
        parameters = {"area": division.code, "year": year}
        return running or enqueue(AREA_JOB, by=by, area=division.code, parameters=parameters)


def start_city() -> Job | None:
    """The same for the whole city, by nobody; nothing happens where there are no cards."""
    city = Division.objects.filter(code=CITY).first()
    return start(division=city, by=None) if city and Sheet.objects.exists() else None


def enqueue_counties(*, area: int, year: int, parent: Job) -> int:
    """One job for each county of the area; doing it twice adds none."""
    areas = areas_of(area)
    with transaction.atomic():
        asked = {job.parameters["area"] for job in parent.children.all()}
        for each in areas:
            if each not in asked:
                parameters = {"area": each, "year": year}
                enqueue(COUNTY_JOB, by=parent.owner, area=each, parameters=parameters, total=1, parent=parent)
    return len(areas)


# -- the list that is printed ------------------------------


def told(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """Hits as rows {household, id, village, kind, score, rule, reasons}, the households most in doubt first.

    `household` is the household's number (its id as text where it has none). The order is that of the desk
    (domain.priority), with the weights of the kinds as they were expected beforehand.
    """
    merged: dict[tuple[int, str], dict[str, Any]] = {}
    for hit in hits:
        row = merged.setdefault(
            (hit.household, str(hit.kind)),
            {
                "household": "",
                "id": hit.household,
                "kind": str(hit.kind),
                "score": 0.0,
                "rule": hit.rule,
                "reasons": [],
            },
        )
        if hit.score > row["score"]:
            row["score"], row["rule"] = hit.score, hit.rule
        text = str(sentence(hit.rule, hit.parameters, kind=str(hit.kind)))
        if text not in row["reasons"]:
            row["reasons"].append(text)
    doubts: dict[int, float] = {}
    for (household, kind), row in merged.items():
        said = Said(kind, row["rule"], row["score"], weight_of(kind))
        doubts[household] = doubts.get(household, 1.0) * doubt_of([said])
    homes = Household.objects.filter(pk__in=doubts).exclude(status=HouseholdStatus.CLOSED)
    numbers = {pk: (number or str(pk), village) for pk, number, village in homes.values_list("pk", "number", "village")}
    rows = [row for row in merged.values() if row["id"] in numbers]
    for row in rows:
        row["household"], row["village"] = numbers[row["id"]]
    return sorted(rows, key=lambda row: (doubts[row["id"]], row["id"], -row["score"], row["kind"]))


def open_leads(*, division: int, kinds: Iterable[str] = ()) -> Iterator[Hit]:
    """The open leads on file of an area, and the numbers on two cards, as hits."""
    first, last = code_range(division)
    leads = Finding.objects.open().of_leads().filter(between("village_id", first, last))
    wanted = set(kinds)
    if wanted:
        leads = leads.filter(kind__in=wanted)
    columns = ("household", "kind", "code", "score", "facts", "person")
    for household, kind, code, score, facts, person in leads.values_list(*columns).iterator(5000):
        yield Hit(household, kind, code, score or 0.0, facts.get("parameters", {}), person)
    if not wanted or Finding.Kind.DUPLICATE_NUMBER in wanted:
        yield from numbers_twice(first=first, last=last)


def year_of(*, division: Division, year: int | None) -> int:
    """The year asked for, else the latest with sheets in the area."""
    if year is not None and not 2010 <= year <= 2100:
        raise Refusal("year", _("年度应在2010至2100之间"), field="year")
    return year or index_runs.latest_year(division=division)
