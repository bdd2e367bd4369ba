"""make_demo_cadres --seed N --out FILE.xlsx: a workbook of made-up cadres."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from cadres.domain.cadre_row import SHEET, cadre_fields
from cadres.domain.demo import demo_rows
from households.domain.workbook import Page, write


class Command(BaseCommand):
    help = "Write a workbook of made-up cadres; the same seed gives the same cadres."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        rows = list(demo_rows(options["seed"]))
        write(options["out"], [Page(SHEET, [of.header for of in cadre_fields()], rows)])
        self.stdout.write(f"{len(rows)} cadres in {options['out']}")
