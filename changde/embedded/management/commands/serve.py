"""manage.py serve: web server, worker and beat in one terminal, ended by Ctrl-C."""

import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from changde.embedded import places
from changde.embedded.supervisor import AlreadyRunning, Child, Supervisor, to_stdout

FIRST_PORT = 8000
# Celery's ten lines about root: whoever serves as root on a trial machine knows.
QUIET = "ignore:You're running the worker with superuser"


class Command(BaseCommand):
    help = "Run the web server, the worker and the beat; Ctrl-C ends them."
    stealth_options = ("notice",)  # called with notice=function(address=...) -> what to say when the page answers

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (0.0.0.0: every one)")
        parser.add_argument("--port", type=int, help="default: PORT, or the first free one from 8000")
        parser.add_argument("--workers", type=int, default=2, help="processes of the web server, each with 4 threads")
        parser.add_argument("--reload", action="store_true", help="start the web server anew when code changes")

    def handle(self, *args: Any, **options: Any) -> None:
        host: str = options["host"]
        port = chosen_port(options["port"], host)
        address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/"  # noqa: S104
        children = [
            Child("web", web_command(host, port, options["workers"], options["reload"])),
            Child("worker", celery_command("worker", "--concurrency", "2", "--loglevel", "WARNING")),
            # No pid file: after a kill -9 it would keep the beat from starting.
            Child("beat", celery_command("beat", "--pidfile=", "--loglevel", "WARNING")),
        ]
        environment = {"PUBLIC_URL": address[:-1], "PYTHONWARNINGS": QUIET} | os.environ | {"PYTHONUNBUFFERED": "1"}
        connections.close_all()
        notice: Callable[..., str] = options.get("notice") or "Ready at {address} (Ctrl-C ends)".format
        try:
            Supervisor(settings.DATA_DIR, children, environment, to_stdout).run(
                ready=lambda: listens(host, port), announce=lambda: to_stdout(notice(address=address))
            )
        except AlreadyRunning as error:
            raise CommandError(f"This data folder is being served {error}; `make stop` ends it.") from error


def web_command(host: str, port: int, workers: int, reload: bool) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "changde.wsgi", "--bind", f"{host}:{port}", "--log-level", "warning"]
    command += ["--worker-class", "gthread", "--workers", str(workers), "--threads", "4", "--graceful-timeout", "10"]
    command += ["--chdir", str(settings.BASE_DIR), "--no-control-socket"]
    return [*command, "--reload"] if reload else command


def celery_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "changde", "--workdir", str(settings.BASE_DIR), *arguments]


def chosen_port(wanted: int | None, host: str) -> int:
    """The port asked for, which must be free, or the first free one."""
    wanted = wanted or int(os.environ.get("PORT") or 0)
    if wanted and not places.is_free(wanted):
        raise CommandError(f"Port {wanted} is in use; choose another one with PORT=...")
    return wanted or next(port for port in range(FIRST_PORT, FIRST_PORT + 1000) if places.is_free(port))


def listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
