"""A whole city judged anew: seconds, memory, the floor beside it and the plain ORM loop.

The floor is what no run can do without: for every batch of townships (services.run_chunks) the aggregated input out by
COPY and the same results in by COPY, as bytes, without looking at them, in one transaction, by the same SQL into the
same table with its indexes and keys. Every batch is judged and copied one right after the other, in turn first and
second, so that what slows the machine meanwhile slows both. `floor_by_township_seconds` is the same copying with a
transaction for each township.
"""

import io
import random
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pandas as pd
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from changde.bulk.copy import copy_out_bytes
from changde.divisions.codes import Level, ancestor, code_range
from changde.divisions.models import Division
from changde.measure.memory import forget_own_peak, own_peak_mb
from changde.measure.registry import Say, add_size_arguments
from households import frames
from households.benchmarks._cities import one_city
from households.domain import index
from households.domain.features import FEATURES, count_members
from households.domain.index_system import IndexSystem
from households.models import Household, IndexRun, MemberSheet, Result, RunChunk, Sheet, TownshipPointer, VillageCard
from households.services import index_runs
from households.services.index_versions import version_for
from households.services.run_chunks import batches, compute_chunks
from households.services.seed_city import CITY

HELP = "a run over the whole city at three sizes, beside its floor and the plain ORM loop"
# A result's columns but its own id, the run's and the time it was made.
COPIED = [str(field.column) for field in Result._meta.fields if field.name not in ("id", "run", "computed_at")]


def add_arguments(parser: ArgumentParser) -> None:
    add_size_arguments(parser)
    parser.add_argument("--sample", type=int, default=300, help="households judged through the ORM")


def run(options: dict[str, Any], say: Say) -> dict[str, Any]:
    """Per size the figures of a run (`cases`); those of the largest stand at the top, with `linearity`: the seconds a
    household costs there over those in the next smaller city (1: ten times the data, ten times the time)."""
    cases = {}
    for size in sorted(options["households"]):
        with one_city(size, options, say):
            cases[str(size)] = _measure(options["sample"])
        say(f"{size:>12,} {cases[str(size)]}")
    found = list(cases.values())
    largest, before = found[-1], found[-2] if len(found) > 1 else found[-1]
    linearity = before["households_per_s"] / largest["households_per_s"]
    return {**largest, "linearity": round(linearity, 2), "cases": cases}


def _measure(sample: int) -> dict[str, Any]:
    city = Division.objects.get(code=CITY)
    year = index_runs.latest_year(division=city)
    forget_own_peak()
    floor = _Floor(year)
    taken = _Clock()
    run = taken(index_runs.start_run, division=city, year=year, by=None, in_background=False)
    for position, batch in enumerate(batches(run.chunks.select_related("run"))):
        floor.prepare(batch)
        if position % 2:
            floor.copy()
            taken(compute_chunks, chunks=batch)
        else:
            taken(compute_chunks, chunks=batch)
            floor.copy()
    run = taken(index_runs.close_run, run=run, state=IndexRun.State.DONE)
    peak = own_peak_mb()
    floor.forget()
    return {
        "households": run.households,
        "seconds": round(taken.seconds, 1),
        "households_per_s": round(run.households / taken.seconds),
        "floor_seconds": round(floor.clock.seconds, 1),
        "ratio_to_floor": round(taken.seconds / floor.clock.seconds, 2),
        "floor_by_township_seconds": round(floor.by_township.seconds, 1),
        "peak_mb": round(peak),
        **_orm_loop(year, sample),
        "digest": run.digest,
    }


def _run_aside(year: int) -> IndexRun:
    """A run nobody sees."""
    return IndexRun.objects.create(
        division_id=CITY, first_code=CITY, last_code=CITY, year=year, state="done", finished_at=Now()
    )


@dataclass
class _Clock:
    """Adds up the seconds of what it is asked to do."""

    seconds: float = 0.0

    def __call__(self, do: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        began = perf_counter()
        try:
            return do(*arguments, **named)
        finally:
            self.seconds += perf_counter() - began


@dataclass
class _Floor:
    """The copying alone, into a run of its own, of the results the townships showed before."""

    year: int
    clock: _Clock = field(default_factory=_Clock)
    by_township: _Clock = field(default_factory=_Clock)
    _lines: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run = _run_aside(self.year)
        self._names = ", ".join(map(connection.ops.quote_name, COPIED))

    def prepare(self, batch: list[RunChunk]) -> None:
        """Read the townships' lines as they will go in; not on the clock."""
        self._lines = {chunk.township_id: self._lines_of(chunk.township_id) for chunk in batch}

    def _lines_of(self, township: int) -> bytes:
        first, last = code_range(township)
        shown = TownshipPointer.objects.get(township_id=township, year=self.year)
        sql = f"""SELECT {self.run.pk}, {self._names} FROM households_result
            WHERE run_id = %(run)s AND village_id BETWEEN %(first)s AND %(last)s
            ORDER BY household_id"""  # noqa: S608 - our own column names
        return copy_out_bytes(sql, {"run": shown.run_id, "first": first, "last": last}, "FORMAT text").getvalue()

    def copy(self) -> None:
        """What goes in goes again, off the clock: a run that finds it would take it for an older run's results."""
        self.clock(self._copy, *self._lines)
        self._results.delete()
        for township in self._lines:
            self.by_township(self._copy, township)
        self._results.delete()

    @property
    def _results(self) -> QuerySet[Result]:
        return Result.objects.filter(run=self.run)

    @transaction.atomic
    def _copy(self, *townships: int) -> None:
        (first, _last), (_first, last) = code_range(townships[0]), code_range(townships[-1])
        version = version_for(county=ancestor(first, Level.COUNTY), year=self.year)
        frames.features_bytes(year=self.year, first=first, last=last, system=version.system)
        lines = b"".join(self._lines[township] for township in townships)
        with connection.cursor() as cursor:
            cursor.cursor.copy_expert(
                f"COPY households_result (run_id, {self._names}) FROM STDIN", io.BytesIO(lines), 1 << 18
            )

    def forget(self) -> None:
        self.run.delete()


def _orm_loop(year: int, sample: int) -> dict[str, Any]:
    """What most people would write: household after household through the ORM, the same judgement, one save each.

    `orm_only_households_per_s` leaves the judgement out: no loop that reads and saves so can be faster.
    """
    ids = list(Sheet.objects.filter(year=year).order_by("pk").values_list("household_id", flat=True)[: 50 * sample])
    chosen = random.Random(1).sample(ids, min(sample, len(ids)))  # noqa: S311 - a sample of a trial
    with_judgement, alone = _Clock(), _Clock()
    for clock, judge in ((alone, _as_it_was), (with_judgement, _judged)):
        with transaction.atomic():
            loop = _run_aside(year)
            for household in chosen:
                clock(_one, household, year, loop, judge)
            transaction.set_rollback(True)
    return {
        "orm_loop_households_per_s": round(len(chosen) / with_judgement.seconds),
        "orm_only_households_per_s": round(len(chosen) / alone.seconds),
    }


Judge = Callable[[IndexSystem, Sheet, list[MemberSheet], VillageCard | None], dict[str, Any]]


def _one(pk: int, year: int, loop: IndexRun, judge: Judge) -> None:
    household = Household.objects.get(pk=pk)
    sheet = Sheet.objects.get(household=household, year=year)
    members = list(MemberSheet.objects.filter(sheet=sheet).select_related("person"))
    village = VillageCard.objects.filter(village_id=sheet.village_id, year=year).first()
    version = version_for(county=ancestor(sheet.village_id, Level.COUNTY), year=year)
    Result.objects.create(
        household=household,
        run=loop,
        village_id=sheet.village_id,
        version=version,
        year=year,
        card_version=household.version,
        **judge(version.system, sheet, members, village),
    )


def _as_it_was(
    system: IndexSystem, sheet: Sheet, members: list[MemberSheet], village: VillageCard | None
) -> dict[str, Any]:
    return {"values": [None] * len(system.columns), "outcome": "not_poor", "score": 0}


def _judged(
    system: IndexSystem, sheet: Sheet, members: list[MemberSheet], village: VillageCard | None
) -> dict[str, Any]:
    people = pd.DataFrame(
        {
            "household": 1,
            "birth_date": pd.Series([each.person.birth_date for each in members], dtype="datetime64[s]"),
            "health": ["、".join(each.health) or None for each in members],
            **{
                name: [getattr(each, name) or None for each in members]
                for name in ("education", "school_status", "labour")
            },
            **{
                name: pd.array([getattr(each, name) for each in members], dtype="boolean")
                for name in ("residents_insurance", "employees_insurance", "counts", "soldier")
            },
        }
    )
    counted = count_members(people, sheet.year).iloc[0].to_dict()
    values: dict[str, Any] = {str(name): count for name, count in counted.items()}
    for name in system.columns:
        if name not in values and name in FEATURES:
            value = getattr(sheet, name) if hasattr(sheet, name) else getattr(village, name.partition("_")[2], None)
            values[name] = value if FEATURES[name].kind in ("truth", "choice") or value is None else _whole(name, value)
    household = index.assess(system, pd.DataFrame([values]).astype({name: frames.DTYPES[name] for name in values}))
    said = household.iloc[0]
    kept = ("deprived", "unknown", "missing", "excluded_by")
    marks = ("below_line", "below_monitoring_line", "reaches_cutoff", "guarantee_gap", "excluded")
    return {
        "values": [None if pd.isna(values[name]) else values[name] for name in system.columns if name in values],
        "net_income": None if pd.isna(said["net_income"]) else int(said["net_income"]),
        "members": None if pd.isna(said["members"]) else int(said["members"]),
        "score": None if pd.isna(said["score"]) else round(float(said["score"]), 9),
        "outcome": said["outcome"],
        "open_fields": said["open_fields"],
        **{name: int(said[name]) for name in kept},
        **{name: bool(said[name]) for name in marks},
    }


def _whole(name: str, value: Any) -> int:
    return int(value * FEATURES[name].scale)
