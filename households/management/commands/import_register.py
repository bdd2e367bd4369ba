"""Bring a table of a department register in from the command line, and compare at once."""

import json
import sys
from argparse import ArgumentParser
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from households.domain.registers import REGISTERS, open_register
from households.domain.workbook import WorkbookRefused, write
from households.messages import workbook_message
from households.models import RegisterVersion
from households.services import register_comparison, registers


class Command(BaseCommand):
    help = "Bring a department register in: KIND FILE (.xlsx or CSV), then compare (docs/registers.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=tuple(REGISTERS))
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", help="the office that keeps the register; default: the usual one of its kind")
        parser.add_argument("--as-of", type=_day, metavar="YYYY-MM-DD", help="the day it speaks of; default: today")
        parser.add_argument(
            "--area",
            type=int,
            metavar="CODE",
            help="the city or county it covers; default: the area of --by, or the city",
        )
        parser.add_argument("--by", metavar="USERNAME", help="in whose name; without it the system's")
        parser.add_argument("--returned", type=Path, metavar="OUT.xlsx", help="write refused rows with reasons here")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        by, kind = self._user(options["by"]), options["kind"]
        try:
            content = options["file"].read_bytes()
            table = open_register(BytesIO(content), kind)
        except OSError as error:
            raise CommandError(f"无法读取文件 {options['file'].name}", returncode=2) from error
        except WorkbookRefused as refused:
            raise CommandError(workbook_message(refused), returncode=2) from refused
        division = self._division(options["area"], by)
        source, as_of = options["source"] or REGISTERS[kind][1], options["as_of"] or timezone.localdate()
        with table:
            try:
                version = registers.bring(
                    by=by, kind=kind, source=source, division=division, as_of=as_of,
                    file_name=options["file"].name, file=BytesIO(content), in_background=False,
                )  # fmt: skip
            except registers.AlreadyThere as there:
                self.stderr.write(str(there.message))
                self._tell(there.version, opened=0, again=True, as_json=options["json"])
                return
            except Refusal as refusal:
                raise CommandError(str(refusal.message), returncode=2) from refusal
            opened = self._take(version, table, by)
            if options["returned"]:
                write(options["returned"], [registers.returned_page(version, table)])
        version.refresh_from_db()
        self._tell(version, opened=opened, again=False, as_json=options["json"])

    def _user(self, username: str | None) -> User | None:
        if username is None:
            return None
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None or not user.can("bring_registers"):
            raise CommandError(f"账号 {username} 不存在或无权报送部门数据", returncode=2)
        return user

    def _division(self, code: int | None, by: User | None) -> Division:
        if code is None:
            posts = by.open_posts if by is not None else []
            code = posts[0].division_id if posts else register_comparison.CITY
        division = Division.objects.filter(pk=code).first()
        if division is None:
            raise CommandError(f"没有这个地区：{code}", returncode=2)
        return division

    def _take(self, version: RegisterVersion, table: Any, by: User | None) -> int:
        try:
            registers.check(version=version, table=table, progress=self._progress)
        except BaseException:
            registers.note_check_broke_off(version, cancelled=False)
            raise
        accepted = registers.accept(version=version, by=by, in_background=False)
        return registers.compare_version(version=accepted, by=by).opened

    def _progress(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done} / {total} 行", ending="\n" if done == total else "")
            self.stderr.flush()

    def _tell(self, version: RegisterVersion, *, opened: int, again: bool, as_json: bool) -> None:
        refused = [
            {"row": each.row, "column": each.column, "reason": each.reason} for each in version.problems.order_by("pk")
        ]
        if as_json:
            told = {
                "kind": version.kind,
                "version": version.pk,
                "source": version.source,
                "as_of": version.as_of.isoformat(),
                "area": version.division_id,
                "rows": version.rows,
                "accepted": version.accepted,
                "refused": refused,
                "unknown_columns": version.unknown_columns,
                "matched_persons": version.matched,
                "findings_opened": opened,
                "already_imported": again,
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
            return
        self.stdout.write(
            f"{version.get_kind_display()}（{version.source} {version.as_of}，第 {version.pk} 版）："
            f"读取 {version.rows} 行，接收 {version.accepted} 行，"
            f"退回 {version.refused} 行；对上 {version.matched} 人，新开线索 {opened} 条"
        )
        for each in refused:
            self.stdout.write(f"  退回 第{each['row']}行 {each['column']}：{each['reason']}")
        if version.unknown_columns:
            self.stdout.write(f"  未识别的列：{'、'.join(version.unknown_columns)}")


def _day(text: str) -> date:
    return date.fromisoformat(text)
