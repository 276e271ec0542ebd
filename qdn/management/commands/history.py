from argparse import ArgumentParser
from typing import Any

from deployments.models import Environment
from deployments.reporting import history_rows
from qdn.console import OperatorCommand, minute


class Command(OperatorCommand):
    help = "List what was deployed, where, when, by whom and how it ended, newest first."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", help="only this one")
        parser.add_argument("--limit", type=int, default=20)

    def run(self, **options: Any) -> list[dict[str, Any]]:
        named = options["environment"]
        environment = Environment.objects.named(named) if named else None
        rows = history_rows(options["limit"], environment)
        self.table(
            ["no", "at", "environment", "kind", "release", "result", "actor", "reason"],
            [
                [row["deployment"], minute(row["at"])]
                + [row[name] for name in ("environment", "kind", "release", "result")]
                + [row["actor"], row["reason"]]
                for row in rows
            ],
            empty="Nothing was deployed yet. Begin with: manage.py push",
        )
        return rows
