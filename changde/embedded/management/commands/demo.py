"""manage.py demo: a working city with made-up people, from nothing, and everything stopped at the end."""

import io
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from changde import embedded
from changde.embedded import supervisor

LOADERS = ("load_divisions", "load_reference", "load_demo")


class Command(BaseCommand):
    help = "Migrate, load the demonstration, serve it; Ctrl-C ends the servers too. A second run goes on with the data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="default: PORT, or the first free one from 8000")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demonstration has public passwords: not with CHANGDE_PRODUCTION.")
        pid = supervisor.running(settings.DATA_DIR)
        if pid is not None:
            raise CommandError(f"The demonstration is already running as process {pid}; `make stop` ends it.")
        for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs are born deaf to SIGINT
            signal.signal(number, signal.default_int_handler)
        began = time.monotonic()
        try:
            self._step("migrate")
            logins = [self._step(name) for name in LOADERS if name in get_commands()][-1]
            self.stdout.write(f"Loaded in {time.monotonic() - began:.0f} s.")
            call_command(
                "serve", port=options["port"], notice=lambda address: f"{logins}\n  {address}   (Ctrl-C ends)\n"
            )
        except KeyboardInterrupt:
            self.stdout.write("Interrupted.")
        finally:
            if settings.EMBEDDED:
                embedded.stop(settings.DATA_DIR)
        self.stdout.write("Stopped; the data stay in " + str(settings.DATA_DIR))

    def _step(self, name: str) -> str:
        """Run one command and keep what it says: the loaders' last one names the logins."""
        self.stdout.write(f"- {name}")
        said = io.StringIO()
        call_command(name, verbosity=0 if name == "migrate" else 1, stdout=said)
        return said.getvalue()
