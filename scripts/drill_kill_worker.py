"""Kills workers in the middle of a run and looks whether it comes out whole: `python scripts/drill_kill_worker.py`.

Private servers in a data folder of its own (--data, kept for the next drill), a made-up city, two Celery workers and
beat, all real. A first run is left alone. In the second a worker that has a township in hand is killed with SIGKILL at
10, 50 and 90 % and another started: twice its township is taken up at once, as by the button, the last time by the
sweep when its claim has ended. In the third a township can never be written: it must be parked after its tries while
the others go on, and be done when the cause is gone and the run taken up. Every run must end once, with the digest of
the first, every household once. Prints JSON; the exit code is 0 when all of it held.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CITY, YEAR = 430700000000, 2019
KILLS = ((0.1, "button"), (0.5, "button"), (0.9, "sweep"))
LONGEST = 900  # seconds a run may take

REFUSE_TOWNSHIP = """
CREATE FUNCTION drill_poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.village_id / 1000 = {township} / 1000 THEN RAISE EXCEPTION 'drill'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER drill_poison BEFORE INSERT ON households_result FOR EACH ROW EXECUTE FUNCTION drill_poison()
"""
LET_TOWNSHIP_BE = "DROP TRIGGER IF EXISTS drill_poison ON households_result; DROP FUNCTION IF EXISTS drill_poison()"


class Workers:
    """Two workers of one process each, and beat; every one leads a process group of its own."""

    def __init__(self) -> None:
        self._started = 0
        self.running: list[subprocess.Popen[bytes]] = []
        self.beat = self._start("beat", "-s", f"{os.environ['CHANGDE_DATA']}/drill-beat")

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", "changde", *arguments, "-l", "ERROR"]
        return subprocess.Popen(
            command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def add(self) -> None:
        self._started += 1
        self.running.append(self._start("worker", "-c", "1", "-n", f"drill{self._started}@%h"))

    def kill_at_work(self, chunk: Any) -> bool:
        """SIGKILL to the worker (pool and all) that has the township in hand; False when it has just finished it."""
        with suppress(ProcessLookupError):
            group = os.getpgid(int(chunk.worker.rpartition(":")[2]))
            os.killpg(group, signal.SIGSTOP)
            chunk.refresh_from_db()
            at_work = chunk.state == "running"
            os.killpg(group, signal.SIGKILL if at_work else signal.SIGCONT)
            if at_work:
                (victim,) = [worker for worker in self.running if worker.pid == group]
                victim.wait()
                self.running.remove(victim)
            return at_work
        return False

    def end(self) -> None:
        for process in (self.beat, *self.running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def wait_for(what: Callable[[], Any], seconds: float = LONGEST) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing within {seconds} s")
        time.sleep(0.02)
    return found


@contextmanager
def poisoned(township: int) -> Iterator[None]:
    """Inside, no result of the township can be written."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(REFUSE_TOWNSHIP.format(township=township))
        try:
            yield
        finally:
            cursor.execute(LET_TOWNSHIP_BE)


def begin() -> Any:
    from changde.divisions.models import Division
    from households.services import index_runs

    return index_runs.start_run(division=Division.objects.get(code=CITY), year=YEAR, by=None)


def over(run: Any) -> bool:
    run.refresh_from_db()
    return run.state != "running"


def told(run: Any) -> dict[str, Any]:
    """What a run left behind."""
    from changde.audit.models import Event
    from households.models import Household, Result

    rows = Result.objects.filter(run=run)
    return {
        "state": run.state,
        "seconds": round(run.seconds, 1),
        "digest": run.digest,
        "results": rows.count(),
        "households": rows.values("household").distinct().count(),
        "missing": Household.objects.exclude(status="closed").exclude(pk__in=rows.values("household")).count(),
        "ended": Event.objects.filter(verb="index.run_over", target_id=str(run.pk)).count(),
        "tried_again": run.chunks.filter(tries__gt=1).count(),
        "parked": run.chunks.filter(state="parked").count(),
    }


def whole(run: dict[str, Any], first: dict[str, Any]) -> bool:
    same = all(run[name] == first[name] for name in ("digest", "results", "households"))
    return same and run["state"] == "done" and run["missing"] == 0 and run["results"] == run["households"]


def undisturbed() -> dict[str, Any]:
    run = begin()
    wait_for(lambda: over(run))
    return told(run)


def with_kills(workers: Workers) -> dict[str, Any]:
    from households.selectors.index_runs import done_of, expected_of
    from households.services import index_runs

    run, kills = begin(), []
    total = expected_of(run)

    def killed(share: float) -> Any:
        """The township whose worker was killed at it, once so much is done."""
        chunk = run.chunks.filter(state="running").order_by("-expected").first()
        return chunk if chunk and done_of(run) >= share * total and workers.kill_at_work(chunk) else None

    for share, how in KILLS:
        chunk = wait_for(lambda share=share: killed(share) or over(run))
        if chunk is True:
            raise RuntimeError(f"the run was over before a worker could be killed at {share:.0%}: take a larger city")
        kills.append({"at": round(done_of(run) / total, 2), "township": chunk.township_id, "taken_up_by": how})
        workers.add()
        if how == "button":
            index_runs.resume_run(run=run, by=None)
    began = time.monotonic()
    wait_for(lambda: over(run))
    for kill in kills:
        kill["tries"] = run.chunks.get(township_id=kill["township"]).tries
    return told(run) | {"kills": kills, "over_after_the_last_kill_s": round(time.monotonic() - began, 1)}


def with_poison() -> dict[str, Any]:
    from households.models import RunChunk
    from households.services import index_runs

    township = RunChunk.objects.order_by("-expected").first().township_id
    with poisoned(township):
        run = begin()
        wait_for(lambda: over(run))
        parked = told(run) | {"reason": run.chunks.get(township_id=township).error}
    index_runs.resume_run(run=run, by=None)
    wait_for(lambda: over(run))
    return {"poisoned": parked, "taken_up": told(run)}


def prepare(households: int) -> None:
    """The servers and the city in them; a city of another size is refused."""
    manage("services", "start")
    manage("migrate")
    manage("load_divisions")
    from households.models import Household
    from households.services.index_versions import load_default_versions

    if not Household.objects.exists():
        manage("seed_city", "--households", str(households))
    if Household.objects.count() != households:
        raise SystemExit("the data folder holds a city of another size: give another --data")
    load_default_versions()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=60_000)
    parser.add_argument("--data", type=Path, default=ROOT / ".data-drill")
    options = parser.parse_args()
    os.environ |= {
        "CHANGDE_DATA": str(options.data),
        "CHANGDE_PG_FAST": "1",
        "DJANGO_SETTINGS_MODULE": "changde.settings",
    }
    sys.path.insert(0, str(ROOT))
    import django

    manage("services", "start")
    django.setup()
    from changde.jobs.services import workers_alive

    prepare(options.households)
    workers = Workers()
    try:
        workers.add()
        workers.add()
        wait_for(lambda: workers_alive(1.0) == 2, 120)
        first, killed, poison = undisturbed(), with_kills(workers), with_poison()
    finally:
        workers.end()
        manage("services", "stop")
    held = {
        "killed run is whole": whole(killed, first) and killed["ended"] == 1,
        "three townships were begun again": killed["tried_again"] >= len(KILLS),
        "poisoned township is parked alone": poison["poisoned"]["parked"] == 1
        and poison["poisoned"]["state"] == "failed",
        "taken up it is whole": whole(poison["taken_up"], first),
    }
    report = {"passed": all(held.values()), "held": held, "undisturbed": first, "killed": killed, **poison}
    print(json.dumps(report, ensure_ascii=False, indent=1))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
