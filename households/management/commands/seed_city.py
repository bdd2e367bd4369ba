"""Fill an empty system with a made-up city."""

import json
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from changde.measure.progress import ProgressBar
from households.domain.city import YEARS
from households.services import index_runs
from households.services.city_registers import write_registers
from households.services.city_rows import PlantedRows
from households.services.index_versions import load_default_versions
from households.services.seed_city import CITY, seed_city


class Command(BaseCommand):
    help = "Fill the tables with a made-up, believable Changde (two accounting years); the same seed, the same city."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--households", type=int, required=True)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--recompute", action="store_true", help="judge both years afterwards, in this process")
        parser.add_argument(
            "--plant", action="store_true", help="plant frauds, mistakes and harmless look-alikes into the city"
        )
        parser.add_argument("--truth", type=Path, help="with --plant: write what was planted to this JSON file")
        parser.add_argument("--registers", type=Path, help="with --plant: write the departments' workbooks here")
        parser.add_argument("--force-add", action="store_true", help="although there are cards already")
        parser.add_argument("--json", action="store_true", help="print what was written as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["households"] < 1:
            raise CommandError("--households 须是正整数", returncode=2)
        if (options["truth"] or options["registers"]) and not options["plant"]:
            raise CommandError("--truth 和 --registers 须与 --plant 一起使用", returncode=2)
        began = monotonic()
        try:
            with ProgressBar(self.stderr) as bar:
                seeded = seed_city(
                    households=options["households"],
                    seed=options["seed"],
                    add=options["force_add"],
                    planting=options["plant"],
                    progress=bar.show,
                )
            seconds = {"seed": round(monotonic() - began, 1)}
            self._tell(seeded.planted, options)
            if options["recompute"]:
                seconds["recompute"] = self._recompute()
        except Refusal as refusal:
            raise CommandError(str(refusal.message), returncode=2) from refusal
        found = {
            "households": seeded.households,
            "persons": seeded.persons,
            "villages": seeded.villages,
            "rows": seeded.rows,
            "seconds": seconds,
        }
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        else:
            self.stdout.write(
                f"{seeded.villages} 个村 {seeded.households:,} 户 {seeded.persons:,} 人,用时 {seconds['seed']} 秒"
                + (f",测算 {seconds['recompute']} 秒" if "recompute" in seconds else "")
            )

    def _tell(self, planted: PlantedRows, options: dict[str, Any]) -> None:
        """The planted truth and the registers, to the files that were asked for."""
        if options["truth"]:
            truth = [{"household": number, "kind": kind} for number, kind in planted.truth]
            options["truth"].write_text(json.dumps(truth, ensure_ascii=False), encoding="utf-8")
        if options["registers"]:
            write_registers(planted.registers, options["registers"])

    def _recompute(self) -> float:
        began = monotonic()
        load_default_versions()
        city = Division.objects.get(code=CITY)
        for year in YEARS:
            run = index_runs.start_run(division=city, year=year, by=None, in_background=False)
            with ProgressBar(self.stderr) as bar:
                index_runs.compute_run(run=run, progress=partial(bar.show, f"测算 {year}"))
        return round(monotonic() - began, 1)
