"""`manage.py recompute_index`: judge an area's cards of one year anew, through the workers or in this process."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from changde.jobs import services as jobs
from households.models import IndexRun
from households.services import index_runs

CITY = 430700000000
BAR = 30


class Command(BaseCommand):
    help = "Recompute income and index of an area by township; a village rounds up to its township."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--division", type=int, default=CITY, help="12-digit code; default the whole city")
        parser.add_argument("--year", type=int, help="accounting year; default the latest with sheets")
        parser.add_argument("--now", action="store_true", help="in this process, without workers")
        parser.add_argument("--json", action="store_true", help="print {households, seconds, hash, outcomes}")

    def handle(self, division: int, **options: Any) -> None:
        began = monotonic()
        area = Division.objects.filter(code=division).first()
        if area is None:
            raise CommandError(f"没有编码为 {division} 的行政区划", returncode=2)
        try:
            year = options["year"] or index_runs.latest_year(division=area)
            run = self._run(area, year, options["now"], began)
        except Refusal as refusal:
            raise CommandError(str(refusal.message), returncode=2) from refusal
        found = {
            "households": run.households,
            "seconds": round(monotonic() - began, 3),
            "hash": run.digest,
            "outcomes": run.outcomes,
        }
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        else:
            self.stdout.write(f"{area} {year}: {run.households} 户,{found['seconds']} 秒,{run.outcomes}")
        if run.state != IndexRun.State.DONE:
            raise CommandError(f"测算没有完成:{run.get_state_display()} {run.error}")

    def _run(self, area: Division, year: int, now: bool, began: float) -> IndexRun:
        if now:
            run = index_runs.start_run(division=area, year=year, by=None, in_background=False)
            return index_runs.compute_run(run=run, progress=self._bar(began))
        with self._workers():
            run = index_runs.start_run(division=area, year=year, by=None)
            bar = self._bar(began)
            while run.state == IndexRun.State.RUNNING:
                sleep(0.2)
                run.refresh_from_db()
                run.job.refresh_from_db()
                bar(run.job.done, run.job.total)
        return run

    @contextmanager
    def _workers(self) -> Iterator[None]:
        """Workers that answer, or one of our own for the time of the run where the private servers are used."""
        if jobs.workers_alive():
            yield
            return
        if not settings.EMBEDDED:
            raise CommandError("没有在线的工作进程:请启动 celery worker,或加 --now 在本进程测算", returncode=3)
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "changde", "worker", "-c", "2", "-l", "ERROR"],
            cwd=settings.BASE_DIR,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _attempt in range(60):
                if jobs.workers_alive(0.5) or worker.poll() is not None:
                    break
            yield
        finally:
            worker.terminate()
            worker.wait(30)

    def _bar(self, began: float) -> Callable[[int, int], None]:
        def show(done: int, total: int) -> None:
            if not self.stderr.isatty() or not total:
                return
            filled = BAR * done // total
            rest = (monotonic() - began) * (total - done) / done if done else 0
            ending = "" if done < total else "\n"
            self.stderr.write(f"\r[{'#' * filled:<{BAR}}] {done:,}/{total:,} 还需 {rest:.0f} 秒 ", ending=ending)

        return show
