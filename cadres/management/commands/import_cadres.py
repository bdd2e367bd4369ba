"""import_cadres FILE.xlsx: take a workbook of cadres and say what came of it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cadres.services.cadre_import import import_cadres
from changde.accounts.models import User
from changde.accounts.refusal import Refusal


class Command(BaseCommand):
    help = "Import a workbook of cadres: right rows go in, the others are listed with sheet, row, column and reason."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", help="user name of who acts, whose rights then count (default: the system itself)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"]).first() if options["by"] else None
        if options["by"] and by is None:
            raise CommandError(f"there is no user {options['by']}")
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"there is no file {path}")
        try:
            summary = import_cadres(source=path, by=by)
        except Refusal as refusal:
            raise CommandError(str(refusal.message)) from refusal
        if options["json"]:
            data = {"read": summary.read, "accepted": summary.accepted} | asdict(summary)
            self.stdout.write(json.dumps(data, ensure_ascii=False, indent=2))
            return
        self.stdout.write(
            f"read {summary.read}: created {summary.created}, updated {summary.updated}, "
            f"unchanged {summary.unchanged}, refused {summary.refused_rows}"
        )
        for one in summary.refused:
            self.stdout.write(f"  {one.sheet} {one.row} {one.column}: {one.reason}")
