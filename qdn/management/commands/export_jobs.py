from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from qdn.arguments import source_path
from qdn.console import USAGE, OperatorCommand
from tracking.registry.exporting import Exported, export_jobs, private_file

WARNING = (
    "Tokens in the clear: {tokens:,}. Anyone who reads them can follow these jobs. Delete the file "
    "once it was used."
)
UNKNOWN = "Of {count:,} jobs only the token's SHA-256 is known; their rows have token_sha256."


class Command(OperatorCommand):
    help = "Write all jobs with an active link in the form that import_jobs reads."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "file",
            nargs="?",
            type=source_path,
            metavar="FILE",
            help="default: standard output",
        )

    def run(self, **options: Any) -> dict[str, int]:
        if options["file"]:
            with private_file(options["file"]) as file:
                done = export_jobs(file)
            self.summarise(f"Wrote {done.jobs:,} jobs to {options['file']}")
        elif self.quiet:
            raise CommandError("With --json, name a FILE for the jobs.", returncode=USAGE)
        else:
            done = export_jobs(_Plain(self))
        self._warn(done)
        return {"jobs": done.jobs, "without_token": done.without_token}

    def _warn(self, done: Exported) -> None:
        if tokens := done.jobs - done.without_token:
            self.stderr.write(WARNING.format(tokens=tokens))
        if done.without_token:
            self.stderr.write(UNKNOWN.format(count=done.without_token))


class _Plain:
    """Standard output, without the line end that Django adds to every text."""

    def __init__(self, command: Command) -> None:
        self._out = command.stdout

    def write(self, text: str) -> None:
        self._out.write(text, ending="")
