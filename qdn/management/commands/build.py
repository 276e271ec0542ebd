import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from builds.receive import receive
from builds.reports import build_row
from qdn.console import OperatorCommand, actor


class Command(OperatorCommand):
    help = "Build a commit of a repository and deploy it, as the repository's hook does."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--repository", type=Path, required=True, metavar="PATH")
        parser.add_argument("--branch", required=True)
        parser.add_argument("--commit", required=True, metavar="HASH", help="the full hash")
        parser.add_argument(
            "--before", default="", metavar="HASH", help="the branch's commit before the push"
        )

    def say(self, line: str) -> None:
        """Print a line at once: the pusher follows the build."""
        super().say(line)
        self.stdout.flush()

    def run(self, **options: Any) -> dict[str, Any] | None:
        started = time.monotonic()
        build = receive(
            repository=options["repository"],
            branch=options["branch"],
            commit=options["commit"],
            before=options["before"],
            actor=actor(),
            say=self.say,
        )
        if build is None:
            return None
        seconds = round(time.monotonic() - started, 1)
        self.summarise(f"Build {build.pk} took {seconds} s")
        return build_row(build)
