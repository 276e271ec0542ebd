from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from qdn.checks import unsafe_settings
from qdn.outages import outage_of


class Command(Runserver):
    help = "Run Django's web server on this machine, for development."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(use_static_handler=False)  # WhiteNoise serves static files

    def run(self, **options: Any) -> None:
        """Refuse before the reloader starts: it would wait for a change of the code."""
        for one in unsafe_settings():
            raise CommandError(f"{one.msg} {one.hint}")
        super().run(**options)

    def check_migrations(self) -> None:
        """Say that the database is down, and start: it may come back while the server runs."""
        try:
            super().check_migrations()
        except DatabaseError as error:
            if (outage := outage_of(error)) is None:
                raise
            self.stderr.write(outage.line)
