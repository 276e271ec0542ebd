import time
from argparse import ArgumentParser
from dataclasses import asdict
from functools import partial
from typing import Any

from deployments.wording import plural
from edge.backends import get_backend
from qdn.backup.restore import Restored, restore, restore_store
from qdn.backup.targets import place
from qdn.console import DeployCommand


class Command(DeployCommand):
    help = "Restore database, object store and media from a backup, or only what the store lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "source", metavar="SOURCE", type=place, help="what was given to the command backup"
        )
        parser.add_argument("--backup", metavar="NAME", help="this one instead of the newest")
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument(
            "--replace", action="store_true", help="replace all rows of a database in use"
        )
        scope.add_argument(
            "--store",
            action="store_true",
            help="leave the database alone: only bring back lost objects and media, and write "
            "every tracking document",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        common = {
            "name": options["backup"],
            "say": self.say,
            "dry_run": options["dry_run"],
        }
        objects = get_backend().objects
        if options["store"]:
            done = restore_store(options["source"], objects, **common)
        else:
            confirm = partial(self.ask, yes=options["yes"], why="The database has rows")
            done = restore(
                options["source"],
                objects,
                replace_rows=options["replace"],
                confirm=confirm,
                **common,
            )
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(done, seconds, dry_run=options["dry_run"])
        return {"dry_run": options["dry_run"], **asdict(done), "seconds": seconds}

    def _sum_up(self, done: Restored, seconds: float, *, dry_run: bool) -> None:
        rows = f"{plural(done.rows, 'row')} of {plural(done.tables, 'table')}, "
        documents = f", {plural(done.documents, 'tracking document')}"
        self.summarise(
            f"{'Would restore' if dry_run else 'Restored'} from {done.backup}: "
            f"{rows if done.tables else ''}{plural(done.objects, 'object')}, "
            f"{plural(done.media, 'media file')}{'' if done.tables else documents}; {seconds} s"
        )
        if done.last_number:
            self.say(f"The next job is QDN-{done.last_number + 1}")
        self.say(f"{'Afterwards' if dry_run else 'Now'} run: {', then '.join(done.next)}")
