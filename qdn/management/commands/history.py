from argparse import ArgumentParser
from typing import Any

from deployments.models import Deployment, Environment
from deployments.verification.reports import history_rows
from qdn.arguments import moment, row_count
from qdn.console import OperatorCommand, minute


class Command(OperatorCommand):
    help = "List deployments, newest first: what, where, when, by whom and how they ended."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", help="only this environment")
        parser.add_argument("--release", metavar="ID", help="only this release")
        parser.add_argument("--kind", choices=Deployment.Kind.values, help="only this kind")
        parser.add_argument("--since", type=moment, metavar="DATETIME", help="only since this time")
        parser.add_argument("--limit", type=row_count, default=20)

    def run(self, **options: Any) -> list[dict[str, Any]]:
        named = options["environment"]
        environment = Environment.objects.named(named) if named else None
        rows = history_rows(
            options["limit"],
            environment,
            release__name=options["release"],
            kind=options["kind"],
            at__gte=options["since"],
        )
        self.table(
            ["no", "at", "environment", "kind", "release", "result", "actor", "reason"],
            [
                [row["deployment"], minute(row["at"]), row["environment"], _kind(row)]
                + [row[name] for name in ("release", "result", "actor", "reason")]
                for row in rows
            ],
            empty="No deployment matches."
            if Deployment.objects.exists()
            else "Nothing has been deployed yet. Start with: manage.py push",
        )
        return rows


def _kind(row: dict[str, Any]) -> str:
    return row["kind"] if row["percent"] is None else f"{row['kind']} {row['percent']}%"
