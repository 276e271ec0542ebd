import time
from argparse import ArgumentParser
from typing import Any

from deployments.retention.plan import PrunePlan
from deployments.retention.prune import Pruned, PruneRun
from deployments.wording import format_time, plural
from edge.backends import get_backend
from qdn.console import OperatorCommand, actor
from qdn.recovery import prune_everything
from tracking.comparing import Orphans


class Command(OperatorCommand):
    help = "Remove releases that nothing needs, after a wait, and documents without a link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--documents",
            action="store_true",
            help="only tracking documents without a link, even if they are most of them",
        )
        parser.add_argument(
            "--yes", action="store_true", help="do it; without it, only show what would be done"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        dry_run = options["dry_run"] or not options["yes"]
        run = PruneRun(get_backend(), actor(), self.say)
        releases, orphans = prune_everything(
            run, show=self._show, documents_only=options["documents"], dry_run=dry_run
        )
        seconds = round(time.monotonic() - started, 2)
        if releases:
            self._sum_up(releases, seconds, dry_run=dry_run)
        self._sum_up_documents(orphans, dry_run=dry_run)
        plan = releases and releases.plan
        if dry_run and (orphans.keys or (plan and (plan.marks or plan.unmarks or plan.sweeps))):
            only = " --documents" if options["documents"] else ""
            self.say(f"Nothing was changed. To do it: manage.py prune{only} --yes")
        counts = releases.as_json() if releases else {}
        return {
            "dry_run": dry_run,
            **counts,
            "tracking": orphans.as_json(),
            "seconds": seconds,
        }

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

    def _sum_up_documents(self, orphans: Orphans, *, dry_run: bool) -> None:
        if orphans.left:
            self.say(
                f"Leave the tracking documents: {orphans}, so this may be another installation's "
                "store. If it is not: manage.py prune --documents --yes"
            )
        elif orphans.keys:
            self.summarise(f"{orphans}: {'would remove' if dry_run else 'removed'}")
