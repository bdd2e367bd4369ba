"""Compare the copy behind the list of cards with its sources."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from households.selectors.listed import differing_households
from households.services.listed_cards import list_again


class Command(BaseCommand):
    help = "Compare the copy behind filters of the card list with household, sheet and result (docs/finding.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mend", action="store_true", help="write the rows that differ anew")

    def handle(self, *args: Any, **options: Any) -> None:
        differing = differing_households()
        if differing and options["mend"]:
            list_again(households=differing)
            self.stdout.write(f"已更正 {len(differing)} 户")
        elif differing:
            raise CommandError(f"{len(differing)} 户的列表副本与户卡不一致；用 --mend 更正", returncode=1)
        else:
            self.stdout.write("列表副本与户卡一致")
