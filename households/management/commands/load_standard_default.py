"""Releases the city's default yearly standards of every year that has none."""

from typing import Any

from django.core.management.base import BaseCommand

from households.services.yearly_standards import load_default_standards


class Command(BaseCommand):
    help = "Release the shipped default yearly standards (households/reference/yearly_standard.csv); idempotent."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{load_default_standards()} standards released")
