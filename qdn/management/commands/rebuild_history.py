import time
from argparse import ArgumentParser
from typing import Any

from deployments.recovery.rebuild import Rebuilding, check_undamaged, plan_rebuilding, restore
from edge.backends import get_backend
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Restore releases and deployments into an empty database from the object store alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--skip-damaged",
            action="store_true",
            help="leave out what damaged or missing audit objects tell of",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        self.say("Read the audit objects")
        rebuilding = plan_rebuilding(get_backend().objects)
        for key, fault in rebuilding.trail.damaged.items():
            self.say(f"Cannot use {key}: {fault}")
        if rebuilding.is_renumbered:
            self.say("Number the deployments anew: the store has those of more than one history")
        if not options["dry_run"]:
            if not options["skip_damaged"]:
                check_undamaged(rebuilding)
            restore(rebuilding)
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(rebuilding, seconds, dry_run=options["dry_run"])
        return {
            **rebuilding.counts,
            "renumbered": rebuilding.is_renumbered,
            "damaged": [
                {"key": key, "fault": fault} for key, fault in rebuilding.trail.damaged.items()
            ],
            "seconds": seconds,
        }

    def _sum_up(self, rebuilding: Rebuilding, seconds: float, *, dry_run: bool) -> None:
        counts = rebuilding.counts
        self.summarise(
            f"{'Would restore' if dry_run else 'Restored'} {counts['environments']} environments, "
            f"{counts['releases']} releases ({counts['removed']} removed), "
            f"{counts['functions']} edge functions, {counts['deployments']} deployments "
            f"in {seconds} s; {len(rebuilding.trail.damaged)} damaged"
        )
        if not dry_run:
            self.say("Look whether the edge agrees: manage.py verify")
