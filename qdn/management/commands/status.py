from typing import Any

from deployments.verification.reports import status_rows
from deployments.wording import plural
from edge.backends import get_backend
from qdn.console import OperatorCommand, minute
from qdn.tracking_check import as_json, last_checks, summary
from tracking.backlog import read_backlog
from tracking.models import TrackingCheck


class Command(OperatorCommand):
    help = (
        "Show what is live in each environment, whether the edge agrees, and how far publishing is "
        "behind."
    )
    changes_something = False

    def run(self, **options: Any) -> list[dict[str, Any]]:
        checks = last_checks()
        rows = [
            {**row, "tracking_check": _shown(checks.get(row["environment"]))}
            for row in status_rows(get_backend())
        ]
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
                    "\n".join([*_notes(row), *_tracked(checks.get(row["environment"]))]),
                    "\n".join(row["drift"]) or "none",
                ]
                for row in rows
            ],
            empty="There are no environments.",
        )
        backlog = read_backlog()
        self.say(f"Tracking documents: {backlog}.")
        # They are the same in every environment.
        return [{**row, "tracking": backlog.as_json()} for row in rows]


def _notes(row: dict[str, Any]) -> list[str]:
    """Return maintenance, a canary, a freeze, guards; and how pages were for their viewers."""
    down, canary, frozen = row["maintenance"], row["canary"], row["frozen"]
    notes = [f"in maintenance since {minute(down['since'])} ({down['actor']})"] if down else []
    if canary:
        margin = canary["margin"]
        ends = "" if margin is None else f", ends if its pages are more than {margin}% worse"
        notes.append(f"canary {canary['release']}: {canary['percent']}%{ends}")
    if frozen:
        until = f" until {minute(frozen['until'])}" if frozen["until"] else ""
        notes.append(f"frozen{until}: {frozen['reason']}")
    notes += [f"guard on {guard['release']}: {guard['reason']}" for guard in row["guards"]]
    return notes + [_timing(one) for one in row["timings"] if one["release"] == row["release"]]


def _timing(one: dict[str, Any]) -> str:
    """Return how a surface was for its viewers in the last day."""
    lcp = one["metrics"].get("lcp")
    paint = f"LCP p75 {lcp['p75']:,.0f} ms, " if lcp else ""
    return (
        f"{one['surface']}: {paint}errors in {one['error_share']:.1%} of "
        f"{plural(one['views'], 'view')} in 24 hours"
    )


def _tracked(check: TrackingCheck | None) -> list[str]:
    """Return when the tracking pages were checked last, and how that went."""
    return [f"{minute(check.at.isoformat())}: {summary(check)}"] if check else []


def _shown(check: TrackingCheck | None) -> dict[str, Any] | None:
    return as_json(check) if check else None
