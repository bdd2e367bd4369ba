"""Make a client of the REST API; its secret is printed once and cannot be read again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from changde.api.services import create_client
from changde.divisions.models import Division


class Command(BaseCommand):
    help = "create_api_client NAME --division CODE: an account for a county system; prints its id and secret once"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--division", type=int, required=True, help="12-digit code of the area it may read")

    def handle(self, *args: Any, **options: Any) -> None:
        division = Division.objects.filter(code=options["division"]).first()
        if division is None:
            raise CommandError(f"no division {options['division']}")
        identity, secret = create_client(name=options["name"], division=division, by=None)
        self.stdout.write(f"client_id: {identity}\nclient_secret: {secret}")
        self.stderr.write("The secret is stored hashed and will not be shown again.")
