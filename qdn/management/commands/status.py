from typing import Any

from deployments.verification.reports import status_rows
from edge.backends import get_backend
from qdn.console import OperatorCommand, minute


class Command(OperatorCommand):
    help = "Show what is live in each environment and whether the edge agrees."
    changes_something = False

    def run(self, **options: Any) -> list[dict[str, Any]]:
        rows = status_rows(get_backend())
        self.table(
            ["environment", "release", "previous", "since", "actor", "function", "notes", "drift"],
            [
                [
                    row["environment"],
                    row["release"] or "nothing",
                    row["previous"] or "",
                    minute(row["since"]),
                    row["actor"] or "",
                    (row["function"] or "")[:12],
                    "\n".join(_notes(row)),
                    "\n".join(row["drift"]) or "none",
                ]
                for row in rows
            ],
            empty="There are no environments.",
        )
        return rows


def _notes(row: dict[str, Any]) -> list[str]:
    """Return what is out of the ordinary: maintenance, a canary, a freeze."""
    down, canary, frozen = row["maintenance"], row["canary"], row["frozen"]
    notes = [f"in maintenance since {minute(down['since'])} ({down['actor']})"] if down else []
    if canary:
        notes.append(f"canary {canary['release']}: {canary['percent']}%")
    if frozen:
        until = f" until {minute(frozen['until'])}" if frozen["until"] else ""
        notes.append(f"frozen{until}: {frozen['reason']}")
    return notes
