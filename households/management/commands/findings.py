"""`manage.py findings`: look for leads in an area, keep them and print them, the households most in doubt first."""

import json
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from changde.measure.progress import ProgressBar
from households.models import Finding
from households.services import detection

CITY = 430700000000


class Command(BaseCommand):
    help = "Find what speaks of favor, falsification, and leaving out in an area; keep the leads and print them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--division", type=int, default=CITY, help="12-digit code; default the whole city")
        parser.add_argument("--year", type=int, help="accounting year; default the latest with sheets")
        parser.add_argument("--kind", action="append", default=[], help="print only this kind; may be given again")
        parser.add_argument("--no-keep", action="store_true", help="only print, write nothing")
        parser.add_argument("--json", action="store_true", help="print [{household, kind, score, reasons, ...}]")

    def handle(self, *args: Any, **options: Any) -> None:
        area = Division.objects.filter(code=options["division"]).first()
        if area is None:
            raise CommandError(f"没有编码为 {options['division']} 的行政区划", returncode=2)
        unknown = [kind for kind in options["kind"] if kind not in Finding.Kind.values]
        if unknown:
            raise CommandError(f"没有种类 {unknown[0]}：可用 {'、'.join(sorted(Finding.LEADS))}", returncode=2)
        try:
            rows = self._rows(area, options)
        except Refusal as refusal:
            raise CommandError(str(refusal.message), returncode=2) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
            return
        for row in rows:
            label = Finding.Kind(row["kind"]).label
            self.stdout.write(f"{row['household']}  {row['score']:.2f}  {label}  {'；'.join(row['reasons'])}")
        self.stdout.write(f"{len(rows)} 条线索，{len({row['id'] for row in rows})} 户")

    def _rows(self, area: Division, options: dict[str, Any]) -> list[dict[str, Any]]:
        year = detection.year_of(division=area, year=options["year"])
        with ProgressBar(self.stderr) as bar:
            show = partial(bar.show, "查找线索")
            if options["no_keep"]:
                hits = detection.find(division=area.code, year=year, kinds=options["kind"], progress=show)
                return detection.told(hits)
            detection.keep(division=area.code, year=year, progress=show)
        return detection.told(detection.open_leads(division=area.code, kinds=options["kind"]))
