"""manage.py services start|stop|status|remove: the private Postgres and Valkey of this data folder.

stop and remove also end a `serve` or `demo` of the folder.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from changde import embedded
from changde.embedded import supervisor


class Command(BaseCommand):
    help = "Start, stop, show or remove the private Postgres and Valkey of CHANGDE_DATA."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "remove"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        data = settings.DATA_DIR
        try:
            if action == "start":
                embedded.ensure(data)
            elif action != "status":
                self._end(data, embedded.stop if action == "stop" else embedded.remove)
        except (embedded.EmbeddedError, PermissionError) as error:
            raise CommandError(str(error)) from error
        self._show(embedded.status(data))

    def _end(self, data: Path, end_servers: Callable[[Path], None]) -> None:
        """Whoever is being served from this folder goes first: it would ask for its database again and again."""
        if supervisor.end(data):
            self.stdout.write("web server, worker and beat: ended")
        end_servers(data)

    def _show(self, services: list[embedded.Service]) -> None:
        if not services:
            self.stdout.write("no private servers in this data folder")
        for service in services:
            state = f"up, process {service.pid}" if service.up else "down"
            self.stdout.write(f"{service.name}: {state}, 127.0.0.1:{service.port}")
