"""manage.py services start|stop|status|remove: the private Postgres and Valkey of this data folder."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from changde import embedded


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
            elif action == "stop":
                embedded.stop(data)
            elif action == "remove":
                embedded.remove(data)
        except (embedded.EmbeddedError, PermissionError) as error:
            raise CommandError(str(error)) from error
        self._show(embedded.status(data))

    def _show(self, services: list[embedded.Service]) -> None:
        if not services:
            self.stdout.write("no private servers in this data folder")
        for service in services:
            state = f"up, process {service.pid}" if service.up else "down"
            self.stdout.write(f"{service.name}: {state}, 127.0.0.1:{service.port}")
