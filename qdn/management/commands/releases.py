from argparse import ArgumentParser
from typing import Any

from deployments.verification.reports import release_rows
from qdn.arguments import row_count
from qdn.console import OperatorCommand, minute


class Command(OperatorCommand):
    help = "List the releases, newest first, and where each is live."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--limit", type=row_count, default=20)
        parser.add_argument(
            "--all", action="store_true", help="include removed and unfinished releases"
        )

    def run(self, **options: Any) -> list[dict[str, Any]]:
        rows = release_rows(options["limit"], everything=options["all"])
        self.table(
            ["release", "created", "files", "bytes", "live in", "state", "message"],
            [
                [
                    row["release"],
                    minute(row["created_at"]),
                    row["files"],
                    f"{row['bytes']:,}",
                    ", ".join(row["live_in"]),
                    ", ".join([row["state"]] + ["pinned"] * row["pinned"]),
                    row["message"],
                ]
                for row in rows
            ],
            empty="There are no releases yet. Create one with: manage.py push",
        )
        return rows
