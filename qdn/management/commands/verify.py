from argparse import ArgumentParser
from typing import Any

from deployments.verification.verify import verify_environments
from deployments.wording import plural
from edge.backends import get_backend
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Compare database, routing documents, objects and the edge's answers; "
        "report every discrepancy."
    )
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", help="only this environment")

    def run(self, **options: Any) -> list[dict[str, Any]]:
        rows = verify_environments(get_backend(), options["environment"], say=self.say)
        names = ", ".join(row["environment"] for row in rows)
        self.table(
            ["environment", "release", "drift", "repair with"],
            [
                [row["environment"], row["release"] or "nothing", one["message"], one["command"]]
                for row in rows
                for one in row["drift"]
            ],
            empty=f"No drift: {names}" if rows else "There are no environments.",
        )
        return rows

    def fault(self, result: list[dict[str, Any]]) -> str:
        drifts = sum(len(row["drift"]) for row in result)
        environments = plural(len(result), "environment")
        found = plural(drifts, "discrepancy", "discrepancies")
        return f"{found} in {environments}." if drifts else ""
