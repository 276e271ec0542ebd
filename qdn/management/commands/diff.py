from argparse import ArgumentParser
from typing import Any

from deployments.releases.diff import diff_releases, release_or_live
from edge.backends import get_backend
from qdn.console import OperatorCommand
from qdn.differences import SHOWN, show_differences


class Command(OperatorCommand):
    help = "Show which files differ between two releases or the live releases of two environments."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        names = "a release, its commit, or an environment for its live release"
        parser.add_argument("one", metavar="A", help=names)
        parser.add_argument("other", metavar="B", help=names)
        parser.add_argument(
            "--all", action="store_true", help=f"show every path, not just the first {SHOWN}"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        one, other = (release_or_live(options[name]) for name in ("one", "other"))
        diff = diff_releases(get_backend().objects, one, other)
        show_differences(self, one, other, diff, every=options["all"])
        return {"from": one.name, "to": other.name, **diff.as_json()}
