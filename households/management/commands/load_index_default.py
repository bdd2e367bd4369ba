"""Releases the city's default index versions of every year that has none."""

from typing import Any

from django.core.management.base import BaseCommand

from households.services.index_versions import load_default_versions


class Command(BaseCommand):
    help = "Release the shipped default index versions (households/reference/index_default.json); idempotent."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{load_default_versions()} versions released")
