"""How right the detectors are: precision and recall by kind on planted cities, and how long a county takes."""

import io
import json
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import numpy as np
from django.core.management import call_command

from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from changde.measure import databases
from changde.measure.memory import forget_own_peak, own_peak_mb
from changde.measure.pages import quiet_settings
from changde.measure.registry import Say
from households.domain.city import YEARS
from households.domain.detection import income_model
from households.models import Finding, Household
from households.services import card_patterns, detection, index_runs
from households.services.city_registers import LAYOUTS, write_registers
from households.services.index_versions import load_default_versions
from households.services.leads import Hit
from households.services.seed_city import CITY, seed_city
from households.services.yearly_standards import load_default_standards

AS_OF = date(YEARS[-1], 12, 31)  # of the registers: deaths and cars of the three months after the accounting year too
HELP = "precision and recall of the detectors by kind on planted cities of several seeds"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--households", type=int, default=12_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--year", type=int, default=2019)
    parser.add_argument("--keep", action="store_true", help="keep the databases for the next run")


def run(options: dict[str, Any], say: Say) -> dict[str, Any]:
    """Of every kind: planted, told, right, precision, recall, precision of the surest N (as many as were planted)."""
    quiet_settings()
    cities = [_city(options, seed, say) for seed in options["seeds"]]
    kinds = sorted({kind for city in cities for kind in city["kinds"]})
    together = {kind: _sum([city["kinds"][kind] for city in cities if kind in city["kinds"]]) for kind in kinds}
    return {"households": options["households"], "seeds": options["seeds"], "kinds": together, "cities": cities}


def _city(options: dict[str, Any], seed: int, say: Say) -> dict[str, Any]:
    trial = f"planted_{options['households']}_{seed}"
    databases.create(trial)
    try:
        with databases.working_in(trial):
            load_default_versions()
            load_default_standards()
            seeded = seed_city(households=options["households"], seed=seed, planting=True)
            _judge()
            registers = _bring_registers(seeded.planted.registers)
            hits, seconds = _find(options["year"])
            rows = detection.told(hits)
            found: dict[str, Any] = {
                "seed": seed,
                "seconds": seconds,
                "peak_mb": round(own_peak_mb()),
                "kinds": rates(rows, seeded.planted.truth),
                "registers": registers,
            }
            found["income_model"] = _model_error(options["year"])
    finally:
        if not options["keep"]:
            databases.drop(trial)
    say(f"seed {seed}: {len(rows)} leads in {sum(seconds.values()):.1f} s, income model {found['income_model']}")
    for kind, of in found["kinds"].items():
        say(f"  {kind:<20} {of}")
    return found


def _find(year: int) -> tuple[list[Hit], dict[str, float]]:
    """All hits of the city, and how many seconds each producer took; the peak of memory begins here."""
    forget_own_peak()
    kinds = {producer.__name__.rpartition(".")[2]: producer.KINDS for producer in detection.PRODUCERS}
    hits: list[Hit] = []
    seconds: dict[str, float] = {}
    for name, of in {**kinds, "numbers_twice": (Finding.Kind.DUPLICATE_NUMBER,)}.items():
        began = monotonic()
        hits += detection.find(division=CITY, year=year, kinds=of)
        seconds[name] = round(monotonic() - began, 1)
    return hits, seconds


def _judge() -> None:
    """Outcomes of both years, which the leads of outcome against status read."""
    city = Division.objects.get(code=CITY)
    for year in YEARS:
        run = index_runs.start_run(division=city, year=year, by=None, in_background=False)
        index_runs.compute_run(run=run)


def _bring_registers(rows: Mapping[str, Sequence[tuple[Any, ...]]]) -> dict[str, Any]:
    """The departments' workbooks through `import_register`, as of the end of the year."""
    brought = {}
    with TemporaryDirectory() as folder:
        written = write_registers(rows, Path(folder))
        for kind, path in zip(LAYOUTS, written, strict=True):
            out, began = io.StringIO(), monotonic()
            call_command("import_register", kind, path, as_of=AS_OF, json=True, stdout=out)
            told = json.loads(out.getvalue())
            brought[kind] = {
                "rows": told["rows"],
                "refused": len(told["refused"]),
                "matched_persons": told["matched_persons"],
                "seconds": round(monotonic() - began, 1),
            }
    return brought


def rates(rows: Iterable[dict[str, Any]], truth: Iterable[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """What was told against what was planted, kind by kind; of kinds nothing was told of only how much was planted."""
    planted: dict[str, set[str]] = {}
    for number, kind in truth:
        planted.setdefault(kind, set()).add(number)
    scores: dict[str, dict[str, float]] = {}
    for row in rows:
        of = scores.setdefault(row["kind"], {})
        of[row["household"]] = max(of.get(row["household"], 0.0), row["score"])
    found = {}
    for kind in sorted(planted.keys() | scores.keys()):
        true, told = planted.get(kind, set()), scores.get(kind, {})
        surest = sorted(told, key=lambda number: (-told[number], number))[: len(true)]
        found[kind] = _rates(len(true), len(told), len(true & told.keys()), len(true & set(surest)), len(surest))
    return found


def _rates(planted: int, told: int, right: int, right_on_top: int, top: int) -> dict[str, float]:
    return {
        "planted": planted,
        "told": told,
        "right": right,
        "precision": round(right / told, 3) if told else 0.0,
        "recall": round(right / planted, 3) if planted else 0.0,
        "top": top,
        "right_on_top": right_on_top,
        "precision_at_top": round(right_on_top / top, 3) if top else 0.0,
    }


def _sum(parts: list[dict[str, float]]) -> dict[str, float]:
    total = {
        name: int(sum(part[name] for part in parts)) for name in ("planted", "told", "right", "right_on_top", "top")
    }
    return _rates(total["planted"], total["told"], total["right"], total["right_on_top"], total["top"])


def _model_error(year: int) -> dict[str, float]:
    """Cross-validated error of the income model of the county with the most cards."""
    villages = Household.objects.values_list("village_id", flat=True)
    counties, counts = np.unique([ancestor(village, Level.COUNTY) for village in villages], return_counts=True)
    county = card_patterns.county_of(county=int(counties[np.argmax(counts)]), year=year)
    return {name: round(value, 3) for name, value in income_model.error(county.cards).items()}
