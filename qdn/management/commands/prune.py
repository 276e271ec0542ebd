import time
from argparse import ArgumentParser
from typing import Any

from deployments.retention.plan import PrunePlan
from deployments.retention.prune import Pruned, PruneRun, prune
from deployments.wording import format_time, plural
from edge.backends import get_backend
from qdn.console import OperatorCommand, actor


class Command(OperatorCommand):
    help = "Mark releases that nothing needs, and remove those that were marked before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--yes", action="store_true", help="do it; without it, only show what would be done"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        dry_run = options["dry_run"] or not options["yes"]
        run = PruneRun(get_backend(), actor(), self.say)
        done = prune(run, show=self._show, dry_run=dry_run)
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(done, seconds, dry_run=dry_run)
        return {"dry_run": dry_run, **done.as_json(), "seconds": seconds}

    def _show(self, plan: PrunePlan) -> None:
        """Show what happens to each release that is not simply kept."""
        rows = [[one.name, "mark", ""] for one in plan.marks]
        rows += [[one.name, "clear the mark", plan.kept[one.name]] for one in plan.unmarks]
        for one, until in plan.waits.items():
            rows.append([one.name, "wait", f"until {format_time(until)}"])
        rows += [[one.name, "remove", str(size)] for one, size in plan.sweeps.items()]
        self.table(["release", "action", ""], sorted(rows), empty="Nothing to mark or remove")

    def _sum_up(self, done: Pruned, seconds: float, *, dry_run: bool) -> None:
        plan = done.plan
        if done.left and done.swept:
            self.say(f"Left for the next run: {done.left}")
        self.summarise(
            f"{'Would: ' if dry_run else ''}keep {plural(len(plan.kept), 'release')}, "
            f"mark {len(plan.marks)}, wait for {len(plan.waits)}, remove {len(done.swept)} "
            f"and {plural(done.assets.files, 'shared asset')}: {done.total}; {seconds} s"
        )
        if dry_run and (plan.marks or plan.unmarks or plan.sweeps):
            self.say("Nothing was changed. To do it: manage.py prune --yes")
