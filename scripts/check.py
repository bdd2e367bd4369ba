"""`make test`: every check there is, in services of its own, with pytest's summary as the last line.

The static checks run one after the other beside the template database and then beside pytest, which fills the time
in which tests wait for browsers and workers. All of them run even when one fails. Pytest's closing report says what
each found (tests/conftest.py), and tests/test_checks.py fails with them, so that the last line tells the whole truth.
Words after the command go to pytest.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".data-test"
RESULTS = DATA / "check-results.json"
APPS = ["changde", "households", "cadres", "supervision"]
# The whole suite on two cores; a process that runs out of tests takes some of the other's.
BOTH_CORES = ["-n", "2", "--dist", "worksteal"]
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKS = {
    "types": ["-m", "mypy", *APPS],
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "imports": ["-c", LINT_IMPORTS],
    "templates": ["-m", "djlint", "templates", "--lint", "--quiet"],
    "catalogues": ["manage.py", "compile_catalogues", "--verbosity", "0"],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
}
# What a shell, a demo or a production machine has set must not reach the tests.
FOREIGN = {
    *("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL", "CHANGDE_PRODUCTION", "CHANGDE_NO_SERVICES", "DEBUG"),
    *("SECRET_KEY", "FIELD_KEYS", "INDEX_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "MEDIA_ROOT", "STATIC_ROOT", "PORT"),
    *("IDLE_LOGOUT_SECONDS", "LOGIN_FAILURE_LIMIT", "WORKBOOK_MAX_BYTES", "API_RATE", "DJANGO_SETTINGS_MODULE"),
    *("EVIDENCE_MAX_BYTES", "EVIDENCE_MAX_PHOTOS", "PRINT_MAX_CARDS"),
}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in FOREIGN} | {
    "CHANGDE_DATA": str(DATA),
    "CHANGDE_PG_FAST": "1",
    "PYTHONUNBUFFERED": "1",
}


class Done(NamedTuple):
    """How a check ended: the code of its process (0: passes), what it said, how long it took."""

    code: int
    output: str
    seconds: float


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    DATA.mkdir(mode=0o711, exist_ok=True)
    alone = os.open(DATA / "check.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("Another `make test` of this folder is running.")
    static, browser = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    try:
        clear()
        RESULTS.unlink(missing_ok=True)
        chromium = browser.submit(find_chromium)
        checks = {name: static.submit(one_check, arguments) for name, arguments in CHECKS.items()}
        heading("services and template database")
        subprocess.run([sys.executable, "manage.py", "services", "start"], cwd=ROOT, env=ENVIRONMENT, check=True)
        template = one_check(["-m", "tests.template_database"])
        written = static.submit(write_results, template, checks)
        chromium.result()
        heading("pytest, and static checks beside it")
        command = [sys.executable, "-m", "pytest", *(sys.argv[1:] or BOTH_CORES)]
        environment = ENVIRONMENT | {"CHANGDE_CHECK_RESULTS": str(RESULTS)}
        tests = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        return tests if written.result() else tests or 1
    except KeyboardInterrupt:
        return 130
    finally:
        for pool in (static, browser):
            pool.shutdown(wait=False, cancel_futures=True)
        clear()


def write_results(template: Done, checks: dict[str, Future[Done]]) -> bool:
    """Leave what each check found for pytest, in one step; whether all of them passed. All have ended by then."""
    found = {"template database": template} | {name: check.result() for name, check in checks.items()}
    rows = [{"name": name, **done._asdict()} for name, done in found.items()]
    partial = RESULTS.with_suffix(".partial")
    partial.write_text(json.dumps(rows), encoding="utf-8")
    partial.replace(RESULTS)
    return all(done.code == 0 for done in found.values())


def one_check(arguments: list[str]) -> Done:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Done(done.returncode, done.stdout.strip(), time.monotonic() - began)


def clear() -> None:
    """End whatever an earlier or this run left: servers, and children of a run that was killed."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([sys.executable, "manage.py", "services", "remove"], cwd=ROOT, env=ENVIRONMENT, check=False, **quiet)
    for pid in children_left():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def children_left() -> list[int]:
    """Processes of this machine that were started with our data folder, without this one and its ancestors."""
    mark = f"CHANGDE_DATA={DATA}".encode()
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            started_with = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in started_with:
            left.append(int(folder.name))
    return [pid for pid in left if pid not in ancestors()]


def ancestors() -> set[int]:
    """This process, its parent and so on (Linux: the second field after the name in /proc/PID/stat)."""
    found, pid = set(), os.getpid()
    while pid > 0:
        found.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def find_chromium() -> None:
    """Browser tests need a real Chromium: root fetches it, others are told what to do (SystemExit)."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if os.environ.get("BROWSER") == "skip" or any(map(shutil.which, names)):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        heading("chromium, fetched meanwhile")
        quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-q"], check=False, **quiet)
        packages = ["chromium", "fonts-noto-cjk"]
        done = subprocess.run(["apt-get", "install", "-yq", "--no-install-recommends", *packages], check=False, **quiet)
        if done.returncode == 0:
            return
    sys.exit("No Chromium on the PATH: `apt-get install chromium fonts-noto-cjk`, or BROWSER=skip to do without.")


def heading(text: str) -> None:
    print(f"\n=== {text} ===", flush=True)


if __name__ == "__main__":
    sys.exit(main())
