"""manage.py compile_catalogues: writes every django.mo beside its django.po."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from changde.web.catalogue import CatalogueError, compile_file


class Command(BaseCommand):
    help = "Compile the translations of locale/AREA/LANGUAGE/LC_MESSAGES/django.po."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for source in sorted((settings.BASE_DIR / "locale").glob("*/*/LC_MESSAGES/django.po")):
            try:
                count = compile_file(source)
            except CatalogueError as error:
                raise CommandError(str(error)) from error
            if options["verbosity"]:
                self.stdout.write(f"{source.relative_to(settings.BASE_DIR)}: {count} texts")
