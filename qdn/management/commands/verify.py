from argparse import ArgumentParser
from typing import Any

from deployments.models import Environment
from deployments.verification.verify import verify
from edge.backends import get_backend
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Compare database, routing documents, objects and the edge's answers; name every drift."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", help="only this one")

    def run(self, **options: Any) -> list[dict[str, Any]]:
        named, backend = options["environment"], get_backend()
        everything = Environment.objects.all()
        rows = []
        for environment in [everything.named(named)] if named else everything:
            self.say(f"Verify {environment}")
            rows.append(verify(backend, environment))
        self.table(
            ["environment", "release", "drift", "mend with"],
            [
                [
                    row["environment"],
                    row["release"] or "nothing",
                    drift["message"],
                    drift["command"],
                ]
                for row in rows
                for drift in row["drift"]
            ],
            empty=f"All agrees: {', '.join(row['environment'] for row in rows)}"
            if rows
            else "There is no environment.",
        )
        return rows

    def fault(self, result: list[dict[str, Any]]) -> str:
        drifts = sum(len(row["drift"]) for row in result)
        return f"Found {drifts} points of drift in {len(result)} environments." if drifts else ""
