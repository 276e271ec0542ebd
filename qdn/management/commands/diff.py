from argparse import ArgumentParser
from typing import Any

from deployments.releases.diff import Diff, diff_releases, release_or_live
from edge.backends import get_backend
from qdn.console import OperatorCommand

SHOWN = 40


class Command(OperatorCommand):
    help = "Show which files differ between two releases or the live releases of two environments."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        names = "a release, or an environment for its live release"
        parser.add_argument("one", metavar="A", help=names)
        parser.add_argument("other", metavar="B", help=names)
        parser.add_argument(
            "--all", action="store_true", help=f"show every path, not just the first {SHOWN}"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        one, other = (release_or_live(options[name]) for name in ("one", "other"))
        self.say(f"{one} -> {other}")
        diff = diff_releases(get_backend().objects, one, other)
        self._show(diff, None if options["all"] else SHOWN)
        self.summarise("; ".join(diff.lines()))
        return {"from": one.name, "to": other.name, **diff.as_json()}

    def _show(self, diff: Diff, limit: int | None) -> None:
        if not diff:
            return
        self.table(
            ["path", "change", "bytes before", "bytes after"],
            [
                [one.path, one.change.value, *("" if n is None else f"{n:,}" for n in one.sizes)]
                for one in diff.differences[:limit]
            ],
            empty="",
        )
        if left := len(diff.differences[limit:]) if limit else 0:
            self.say(f"and {left:,} more: add --all")
