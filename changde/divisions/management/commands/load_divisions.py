"""`manage.py load_divisions`: the real divisions of Changde; may be called twice."""

from django.core.management.base import BaseCommand

from changde.divisions.services import load_divisions


class Command(BaseCommand):
    help = "Load the divisions of Changde (city, counties, townships, villages); may be called twice."

    def handle(self, **options):
        self.stdout.write(f"{load_divisions()} divisions")
