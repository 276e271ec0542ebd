"""How commands show the files that differ between two releases."""

from deployments.models import Release
from deployments.releases.diff import Diff
from qdn.console import OperatorCommand

SHOWN = 40


def show_differences(
    command: OperatorCommand, one: Release, other: Release, diff: Diff, *, every: bool
) -> None:
    """Print the files that change from one release to another, and a summary."""
    command.say(f"{one} -> {other}")
    shown = diff.differences if every else diff.differences[:SHOWN]
    if shown:
        command.table(
            ["path", "change", "bytes before", "bytes after"],
            [
                [one.path, one.change.value, *("" if n is None else f"{n:,}" for n in one.sizes)]
                for one in shown
            ],
            empty="",
        )
    if left := len(diff.differences) - len(shown):
        command.say(f"and {left:,} more: add --all")
    command.summarise("; ".join(diff.lines()))
