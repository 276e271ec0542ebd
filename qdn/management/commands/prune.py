import time
from argparse import ArgumentParser
from typing import Any

from deployments.retention.plan import PrunePlan, plan_prune
from deployments.retention.prune import Pruned, Pruning, prune
from deployments.wording import format_time
from edge.backends import get_backend
from qdn.console import OperatorCommand, actor


class Command(OperatorCommand):
    help = "Mark releases that nothing needs, and remove those that were marked before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do it; without it only say what")

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        backend = get_backend()
        plan = plan_prune(backend)
        self._show(plan)
        does = options["yes"] and not options["dry_run"]
        if does:
            done = prune(Pruning(backend, actor(), self.say), plan)
        else:
            done = Pruned({one.name: size for one, size in plan.sweeps.items()})
            done.assets, done.left = plan.assets or done.assets, plan.assets_stay
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(plan, done, seconds, does=does)
        return {
            "dry_run": not does,
            **plan.as_json(),
            "removed": [{"release": one, **size.as_json()} for one, size in done.swept.items()],
            "assets": done.assets.as_json(),
            **done.total.as_json(),
            "left": done.left,
            "seconds": seconds,
        }

    def _show(self, plan: PrunePlan) -> None:
        """Show what becomes of each release that is not just kept."""
        rows = [[one.name, "mark", ""] for one in plan.marks]
        rows += [[one.name, "take the mark away", plan.kept[one.name]] for one in plan.lifts]
        for one, until in plan.waits.items():
            rows.append([one.name, "wait", f"until {format_time(until)}"])
        rows += [[one.name, "remove", str(size)] for one, size in plan.sweeps.items()]
        self.table(["release", "what", ""], sorted(rows), empty="Nothing to mark or to remove")

    def _sum_up(self, plan: PrunePlan, done: Pruned, seconds: float, *, does: bool) -> None:
        if done.left and done.swept:
            self.say(f"Left for another run: {done.left}")
        would = "" if does else "Would: "
        self.summarise(
            f"{would}keep {len(plan.kept)} releases, mark {len(plan.marks)}, wait for "
            f"{len(plan.waits)}, remove {len(done.swept)} and {done.assets.files} shared assets: "
            f"{done.total}; {seconds} s"
        )
        if not does and (plan.marks or plan.lifts or plan.sweeps):
            self.say("Nothing was changed. To do it: manage.py prune --yes")
