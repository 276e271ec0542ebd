from typing import Any

from deployments.reporting import status_rows
from edge.backends import get_backend
from qdn.console import OperatorCommand, minute


class Command(OperatorCommand):
    help = "Tell what is live in each environment and whether the edge agrees."
    changes_something = False

    def run(self, **options: Any) -> list[dict[str, Any]]:
        rows = status_rows(get_backend())
        self.table(
            ["environment", "release", "previous", "since", "actor", "function", "drift"],
            [
                [
                    row["environment"],
                    row["release"] or "nothing",
                    row["previous"] or "",
                    minute(row["since"]),
                    row["actor"] or "",
                    (row["function"] or "")[:12],
                    "\n".join(row["drift"]) or "none",
                ]
                for row in rows
            ],
            empty="There is no environment.",
        )
        return rows
