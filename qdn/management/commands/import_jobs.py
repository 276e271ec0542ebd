from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from edge.backends import get_backend
from qdn.arguments import source_path
from qdn.console import PARTLY_CHANGED, REFUSED, OperatorCommand, actor
from tracking.numbers import highest_known
from tracking.registry.importing import Imported, Refusal, import_jobs
from tracking.registry.mapping import load_tables
from tracking.registry.reporting import refusals_to
from tracking.registry.writing import stored_registry

STEP = 5_000  # rows between two lines of progress
MOST_NAMED = 10


class Command(OperatorCommand):
    help = "Take over jobs and tracking links from the registry of a former system."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("file", nargs="?", type=source_path, metavar="FILE")
        source.add_argument(
            "--registry",
            action="store_true",
            help="read the private registry in the object store, after the loss of the database",
        )
        parser.add_argument(
            "--map",
            type=source_path,
            metavar="MAP",
            help="what its statuses and services mean here, in TOML or JSON",
        )
        parser.add_argument(
            "--csv",
            type=source_path,
            metavar="CSV",
            help="where to list the rows that were not taken; default FILE.refused.csv",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        self.options, self.dry_run, self.csv = options, options["dry_run"], _csv_path(options)
        tables = load_tables(options["map"])
        with _source(options) as path, refusals_to(self.csv) as write:

            def report(refusal: Refusal) -> None:
                self.stderr.write(str(refusal))
                write(refusal)

            self.done = import_jobs(
                path,
                tables=tables,
                actor=actor(),
                dry_run=self.dry_run,
                known_number=_known_number() if options["registry"] else 0,
                report=report,
                progress=self._progress,
            )
        self._note(self.done)
        done = self.done
        self.summarise(
            f"{'Would be: ' if self.dry_run else ''}{done.read:,} rows read, {done.created:,} "
            f"created, {done.changed:,} changed, {done.unchanged:,} unchanged, "
            f"{len(done.refused):,} refused in {done.seconds:.1f} s"
        )
        return done.as_json()

    def fault(self, result: Any) -> str:
        """Say how to continue if rows were not taken; exit code 4 if others were."""
        done = self.done
        if not done.refused:
            return ""
        self.fault_code = PARTLY_CHANGED if done.taken and not self.dry_run else REFUSED
        rest = "" if done.is_whole else " The rest of the file was not read."
        return (
            f"Not everything was taken: {self.csv} lists what was not.{rest} "
            f"Correct the file or the map, then run: {self._again(self.options)}"
        )

    def _progress(self, rows: int) -> None:
        if rows % STEP == 0:
            self.say(f"Read {rows:,} rows")

    def _note(self, done: Imported) -> None:
        if done.other_fields:
            self.say(f"Left out the fields {', '.join(sorted(done.other_fields)[:MOST_NAMED])}")
        if done.unreachable:
            jobs = ", ".join(done.unreachable[:MOST_NAMED])
            self.stderr.write(
                f"Tokens that no link can carry: {len(done.unreachable):,}, of {jobs}. "
                "Replace these links on the jobs' pages."
            )


def _csv_path(options: dict[str, Any]) -> Path:
    if options["csv"]:
        return Path(options["csv"])
    file = options["file"] or Path("registry-jobs.json")
    return Path(f"{file}.refused.csv")


def _known_number() -> int:
    """Return the highest number that the store knows: ended jobs are not in the registry."""
    return highest_known(get_backend().objects)


def _source(options: dict[str, Any]) -> AbstractContextManager[Path]:
    if options["registry"]:
        return stored_registry(get_backend().objects)
    return nullcontext(options["file"])
