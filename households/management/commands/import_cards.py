"""Bring a workbook of cards in from the command line."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from changde.accounts.models import User
from households.domain.card_update import Policy
from households.domain.card_workbook import open_cards
from households.domain.workbook import WorkbookRefused, write
from households.messages import workbook_message
from households.models import ImportBatch, ImportProblem
from households.services import imports


class Command(BaseCommand):
    requires_system_checks = []  # they load every page, which an import does not need
    help = "Bring cards in: FILE.xlsx with the sheets 户信息 and 人信息, or CSV (docs/import.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check only, write nothing")
        parser.add_argument("--returned", type=Path, metavar="OUT.xlsx", help="write refused and waiting rows here")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument("--initial", action="store_true", help="the one-off first load: sets household status")
        parser.add_argument(
            "--policy",
            choices=[policy.value for policy in Policy],
            default=Policy.UPDATE.value,
            help="households that are there: update (the workbook wins), keep (only fill gaps), reject (refuse them)",
        )
        parser.add_argument("--by", metavar="USERNAME", help="in whose name and area; without it the system's")

    def handle(self, *args: Any, **options: Any) -> None:
        by, policy = self._user(options["by"]), Policy(options["policy"])
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"无法读取文件 {options['file'].name}", returncode=2) from error
        try:
            book = open_cards(BytesIO(content))
        except WorkbookRefused as refused:
            raise CommandError(workbook_message(refused), returncode=2) from refused
        with book:
            if options["dry_run"]:
                with transaction.atomic():
                    outcome = imports.check(book=book, by=by, progress=self._progress, policy=policy)
                    transaction.set_rollback(True)
                told = outcome.told
            else:
                batch = imports.open_batch(
                    by=by,
                    file_name=options["file"].name,
                    content=content,
                    initial=options["initial"],
                    policy=policy,
                )
                outcome = self._take_in(book, batch, by)
                told = list(imports.told_of(book, batch))
            if options["returned"]:
                write(options["returned"], imports.returned_pages(book, told))
        self._tell(outcome, told, as_json=options["json"], dry=options["dry_run"])

    def _user(self, username: str | None) -> User | None:
        if username is None:
            return None
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None or not user.can("import_cards"):
            raise CommandError(f"账号 {username} 不存在或无权导入", returncode=2)
        return user

    def _take_in(self, book: Any, batch: ImportBatch, by: User | None) -> imports.Outcome:
        try:
            return imports.take_in(book=book, batch=batch, by=by, progress=self._progress)
        except BaseException:
            imports.note_broken_off(batch, ImportBatch.State.FAILED)
            raise

    def _progress(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done} / {total} 户", ending="\n" if done == total else "")
            self.stderr.flush()

    def _tell(self, outcome: imports.Outcome, told: Sequence[imports.Told], *, as_json: bool, dry: bool) -> None:
        refused = [each for each in told if each.outcome == ImportProblem.Outcome.REFUSED]
        waiting = [each for each in told if each.outcome == ImportProblem.Outcome.WAITING]
        if as_json:
            result = {
                "read": {"households": outcome.households, "members": outcome.members},
                "accepted": outcome.accepted,
                "refused": [
                    {
                        "household": each.household,
                        "sheet": each.problem.sheet,
                        "row": each.problem.row,
                        "column": each.problem.column,
                        "reason": each.reason,
                    }
                    for each in refused
                ],
                "waiting": [{"household": each.household, "reason": each.reason} for each in waiting],
            }
            self.stdout.write(json.dumps(result, ensure_ascii=False, indent=1))
            return
        verb = "可入库" if dry else "入库"
        self.stdout.write(
            f"读取 {outcome.households} 户 {outcome.members} 人：{verb} {outcome.accepted} 户"
            f"（新建 {outcome.created}，更新 {outcome.changed}，无变化 {outcome.same}），"
            f"退回 {outcome.refused} 户，待核实 {outcome.waiting} 户"
        )
        for each in refused:
            place = f"{each.problem.sheet} 第{each.problem.row}行 {each.problem.column}"
            self.stdout.write(f"  退回 {each.household}  {place}：{each.reason}")
        for each in waiting:
            self.stdout.write(f"  待核实 {each.household}  {each.reason}")
