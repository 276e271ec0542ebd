import time
from argparse import ArgumentParser
from typing import Any

from deployments.wording import plural
from edge.backends import get_backend
from qdn.console import OperatorCommand
from qdn.recovery import REMOVE, Rebuilt, rebuild_everything


class Command(OperatorCommand):
    help = "Restore releases and deployments into an empty database from the object store alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--skip-damaged",
            action="store_true",
            help="leave out what damaged or missing audit objects held",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        dry_run, skip_damaged = options["dry_run"], options["skip_damaged"]
        done = rebuild_everything(
            get_backend().objects, say=self.say, skip_damaged=skip_damaged, dry_run=dry_run
        )
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(done, seconds, dry_run=dry_run)
        return {**done.as_json(), "seconds": seconds}

    def _sum_up(self, done: Rebuilt, seconds: float, *, dry_run: bool) -> None:
        counts, damaged = done.history.counts, done.history.trail.damaged
        self.summarise(
            f"{'Would restore' if dry_run else 'Restored'} "
            f"{plural(counts['environments'], 'environment')}, "
            f"{plural(counts['releases'], 'release')} ({counts['removed']} removed), "
            f"{plural(counts['functions'], 'edge function')}, "
            f"{plural(counts['deployments'], 'deployment')} "
            f"in {seconds} s; {plural(len(damaged), 'fault')} in the audit objects"
        )
        self.say(f"The next job is QDN-{done.last_number + 1}")
        if dry_run:
            return
        self.say("Check that the edge agrees: manage.py verify")
        if done.orphans.keys:
            self.say(f"{done.orphans} and can still be read. To remove them: {REMOVE}")
