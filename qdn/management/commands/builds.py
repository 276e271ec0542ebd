from argparse import ArgumentParser
from typing import Any

from builds.reports import build_rows, log_of
from qdn.arguments import row_count
from qdn.console import OperatorCommand, minute


class Command(OperatorCommand):
    help = "List the builds, newest first, or print the log of one."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--limit", type=row_count, default=20)
        parser.add_argument(
            "--log", type=row_count, metavar="NUMBER", help="print the log of this build"
        )

    def run(self, **options: Any) -> Any:
        if options["log"]:
            found = log_of(options["log"])
            self.say(found["log"].rstrip("\n"))
            return found
        rows = build_rows(options["limit"])
        self.table(
            ["build", "when", "branch", "commit", "state", "seconds", "release", "message"],
            [
                [
                    row["build"],
                    minute(row["asked_at"]),
                    row["branch"],
                    row["commit"][:10],
                    row["state"],
                    "" if row["seconds"] is None else row["seconds"],
                    row["release"] or "",
                    row["message"],
                ]
                for row in rows
            ],
            empty="There are no builds yet. Set a site up with: manage.py init",
        )
        return rows
