#!/usr/bin/env python
"""The command line of the project. Commands that need the database find the private servers started."""

import os
import sys

# These run on a machine, or in a build step, that has no servers.
WITHOUT_SERVERS = {
    "help",
    "version",
    "services",
    "compile_catalogues",
    "makemessages",
    "compilemessages",
    "collectstatic",
    "findstatic",
    "diffsettings",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changde.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in WITHOUT_SERVERS and not {"-h", "--help", "--version"} & set(sys.argv[1:]):
        from changde import embedded

        try:
            # Before the settings: a port taken by another program is chosen anew here.
            embedded.ensure_for_environment()
        except (embedded.EmbeddedError, PermissionError) as error:
            sys.exit(f"The private servers do not start: {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
