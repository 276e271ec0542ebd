from argparse import ArgumentParser
from typing import Any

from deployments.wording import plural
from edge.backends import get_backend
from qdn.console import OperatorCommand
from qdn.recovery import verify_everything
from qdn.tracking_check import PRODUCTION, as_json, check_environment, show_ms

DOCUMENTS = "tracking documents"


class Command(OperatorCommand):
    help = (
        "Compare database, routing documents, objects and the edge's answers; "
        "report every discrepancy."
    )
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--environment", help="only this environment, and no tracking documents"
        )
        parser.add_argument(
            "--tracking",
            action="store_true",
            help="instead, follow a change of a hidden job to the edge; default: of production",
        )

    def run(self, **options: Any) -> list[dict[str, Any]] | dict[str, Any]:
        if options["tracking"]:
            return self._track(options["environment"] or PRODUCTION)
        rows = verify_everything(get_backend(), options["environment"], say=self.say)
        names = ", ".join(row["environment"] or DOCUMENTS for row in rows)
        self.table(
            ["environment", "release", "drift", "repair with"],
            [
                [
                    row["environment"] or DOCUMENTS,
                    row["release"] or "nothing",
                    one["message"],
                    one["command"],
                ]
                for row in rows
                for one in row["drift"]
            ],
            empty=f"No drift: {names}" if rows else "There are no environments.",
        )
        return rows

    def _track(self, environment: str) -> dict[str, Any]:
        self.say(f"Follow a change to the tracking pages of {environment}")
        check = check_environment(get_backend(), environment)
        delays = (check.write_ms, check.publish_ms, check.edge_ms, check.total_ms)
        self.table(
            ["environment", "write", "publish", "edge", "in all"],
            [[environment, *(show_ms(one) or "not reached" for one in delays)]],
            empty="",
        )
        return as_json(check)

    def fault(self, result: list[dict[str, Any]] | dict[str, Any]) -> str:
        if isinstance(result, dict):
            return str(result["problem"])
        drifts = sum(len(row["drift"]) for row in result)
        environments = [row["environment"] for row in result if row["environment"]]
        also = f" and the {DOCUMENTS}" if len(environments) < len(result) else ""
        found = plural(drifts, "discrepancy", "discrepancies")
        return f"{found} in {plural(len(environments), 'environment')}{also}." if drifts else ""
