"""`manage.py recompute_index`: judge an area's cards of one year anew, through the workers or in this process."""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from changde.jobs import services as jobs
from changde.measure.progress import ProgressBar
from households.models import IndexRun
from households.selectors.index_runs import done_of, expected_of
from households.services import index_runs

CITY = 430700000000
SWEEP_EVERY = 15.0  # seconds


class Command(BaseCommand):
    help = "Recompute income and index of an area by township; a village rounds up to its township."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--division", type=int, default=CITY, help="12-digit code; default the whole city")
        parser.add_argument("--year", type=int, help="accounting year; default the latest with sheets")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--here", "--now", action="store_true", help="in this process, without workers")
        how.add_argument(
            "--workers",
            type=int,
            default=os.cpu_count(),
            help="processes to start where no worker answers (private servers)",
        )
        parser.add_argument(
            "--resume", action="store_true", help="go on with the last run that did not come to its end"
        )
        parser.add_argument("--json", action="store_true", help="print {households, seconds, hash, outcomes}")

    def handle(self, division: int, **options: Any) -> None:
        began = monotonic()
        area = Division.objects.filter(code=division).first()
        if area is None:
            raise CommandError(f"没有编码为 {division} 的行政区划", returncode=2)
        try:
            year = options["year"] or index_runs.latest_year(division=area)
            run = self._run(area, year, options)
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
            raise CommandError(f"测算没有完成:{run.get_state_display()} {run.error}（--resume 接着做）")

    def _run(self, area: Division, year: int, options: Any) -> IndexRun:
        with ProgressBar(self.stderr) as bar:
            show = partial(bar.show, f"{area.name} {year}")
            if options["here"]:
                return index_runs.compute_run(run=self._begin(area, year, options, False), progress=show)
            with self._workers(options["workers"]):
                return self._watch(self._begin(area, year, options, True), show)

    def _begin(self, area: Division, year: int, options: Any, in_background: bool) -> IndexRun:
        if not options["resume"]:
            return index_runs.start_run(division=area, year=year, by=None, in_background=in_background)
        last = IndexRun.objects.filter(division=area, year=year, kind=IndexRun.Kind.RUN).order_by("-pk").first()
        if last is None:
            raise CommandError(f"{area} {year} 还没有测算过,没有可以接着做的", returncode=2)
        return index_runs.resume_run(run=last, by=None, in_background=in_background)

    def _watch(self, run: IndexRun, show: Any) -> IndexRun:
        total, swept = expected_of(run), monotonic()
        try:
            while run.state == IndexRun.State.RUNNING:
                sleep(0.2)
                run.refresh_from_db()
                show(done_of(run), total)
                if monotonic() - swept > SWEEP_EVERY:  # beat may not be running where only a worker is
                    swept = monotonic()
                    jobs.sweep()
        except KeyboardInterrupt:
            raise CommandError("不再等待:在线的工作进程会继续做;没有的话,用 --resume 接着做", returncode=130) from None
        return run

    @contextmanager
    def _workers(self, count: int) -> Iterator[None]:
        """Workers that answer, or one of our own for the time of the run where the private servers are used."""
        if jobs.workers_alive():
            yield
            return
        if not settings.EMBEDDED:
            raise CommandError("没有在线的工作进程:请启动 celery worker,或加 --here 在本进程测算", returncode=3)
        worker = subprocess.Popen(  # noqa: S603 - our own worker
            [sys.executable, "-m", "celery", "-A", "changde", "worker", "-c", str(count), "-l", "ERROR"],
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
