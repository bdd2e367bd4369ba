"""The same workbook through this import and through django-import-export, in one run.

Ours: `manage.py import_cards` as an office runs it (all checks with the year's lines, encryption, keyed hashes, claims,
history triggers, audit, results worked out), in an empty database. The peer: django-import-export in bulk mode on equal
tables without any of that (_peer). Each in a process of its own, one after the other, so that memory can be told apart.
"""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from changde.measure import databases, memory
from changde.measure.registry import Say
from households.benchmarks._workbook import write_workbook
from households.services.index_versions import load_default_versions
from households.services.seed_city import real_villages

NAME = "import"
HELP = "households a second and memory of the import, beside django-import-export"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--households", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-peer", action="store_true", help="only this import")
    parser.add_argument("--workbook", type=Path, help="write the workbook here, or take the one that is there")
    parser.add_argument("--keep", action="store_true", help="keep the database for looking at")


def run(options: dict[str, Any], say: Say) -> dict[str, Any]:
    trial = "import"
    try:
        databases.create(trial)
        with databases.working_in(trial), tempfile.TemporaryDirectory() as folder:
            load_default_versions()
            workbook = options["workbook"] or Path(folder) / "cards.xlsx"
            if not workbook.exists():
                say(f"writing a workbook of {options['households']:,} households ...")
                write_workbook(workbook, real_villages(), options["households"], options["seed"])
            say("importing ...")
            ours = _ours(workbook, trial)
            found = {
                "households": ours["households"],
                "accepted": ours["accepted"],
                "households_per_s": round(ours["households"] / ours["ran"].seconds, 1),
                "peak_mb": round(ours["ran"].peak_mb),
                "cpu_s": round(ours["ran"].cpu_seconds, 1),
                "workbook_mb": round(workbook.stat().st_size / 1e6, 1),
            }
            say(json.dumps(found))
            if not options["without_peer"]:
                say("the peer imports ...")
                found |= _peer(workbook, trial, found)
        return found
    finally:
        if not options["keep"]:
            databases.drop(trial)


def _ours(workbook: Path, trial: str) -> dict[str, Any]:
    command = [sys.executable, "manage.py", "import_cards", str(workbook), "--initial", "--json"]
    ran = memory.run(command, cwd=settings.BASE_DIR, environment=_environment(trial))
    told = json.loads(ran.output)
    return {"ran": ran, "households": told["read"]["households"], "accepted": told["accepted"]}


def _peer(workbook: Path, trial: str, ours: dict[str, Any]) -> dict[str, Any]:
    from households.benchmarks._peer import make_tables  # needs a library that only development has

    make_tables()
    command = [sys.executable, "-m", "households.benchmarks._peer", str(workbook)]
    ran = memory.run(command, cwd=settings.BASE_DIR, environment=_environment(trial))
    households = json.loads(ran.output.splitlines()[-1])["households"]
    rate = households / ran.seconds
    return {
        "peer_households_per_s": round(rate, 1),
        "ratio_to_peer": round(ours["households_per_s"] / rate, 2),
        "peer_peak_mb": round(ran.peak_mb),
        "peer_cpu_s": round(ran.cpu_seconds, 1),
    }


def _environment(trial: str) -> dict[str, str]:
    """The trial's database, and a Valkey database of its own so that no worker hears of its jobs."""
    return os.environ | {
        "DATABASE_URL": databases.url_of(trial, "default"),
        "MIGRATION_DATABASE_URL": databases.url_of(trial, "owner"),
        "REDIS_URL": urlsplit(settings.REDIS_URL)._replace(path="/15").geturl(),
        "DEBUG": "0",
    }
