"""`manage.py benchmark NAME`: what this system does at city size, measured on this machine."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from changde.measure.registry import benchmarks


class Command(BaseCommand):
    help = "Measure at city size, in databases of its own beside the working one (never in it)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
        for name, benchmark in sorted(benchmarks().items()):
            sub = names.add_parser(name, help=benchmark.HELP)
            benchmark.add_arguments(sub)
            sub.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, name: str, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("正式系统上不做性能测试", returncode=2)
        found = benchmarks()[name].run(options, self._say)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        cases = found.pop("cases", {})
        for case, figures in cases.items():
            self.stdout.write(f"{case:<28} " + "  ".join(f"{key} {value}" for key, value in figures.items()))
        for key, value in found.items():
            self.stdout.write(f"{key}: {value}")

    def _say(self, text: str) -> None:
        self.stderr.write(text)
