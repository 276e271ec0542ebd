import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from deployments.wording import plural
from edge.backends import get_backend
from qdn.backup.backup import back_up
from qdn.backup.targets import place
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Back up the database, the object store and media to a folder or an S3 bucket."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "target", metavar="TARGET", type=place, help="a folder, or s3://bucket/prefix"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        dry_run = options["dry_run"]
        done = back_up(options["target"], get_backend().objects, say=self.say, dry_run=dry_run)
        seconds = round(time.monotonic() - started, 2)
        new = "" if done.new is None else f" ({done.new} new)"
        self.summarise(
            f"{'Would back up' if dry_run else f'Backed up as {done.backup}:'} "
            f"{plural(done.rows, 'row')} of {plural(done.tables, 'table')}, "
            f"{plural(done.objects, 'object')} and {plural(done.media, 'media file')}{new}; "
            f"{seconds} s"
        )
        return {"dry_run": dry_run, **asdict(done), "seconds": seconds}
