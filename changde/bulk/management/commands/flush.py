"""`flush` as the owner of the tables: the application's own role may not truncate."""

from django.core.management.commands.flush import Command as Flush


class Command(Flush):
    def handle(self, **options):
        super().handle(**options | {"database": "owner"})
