from argparse import ArgumentParser
from typing import Any

from deployments.context import DeployContext
from deployments.invalidation.by_path import drop, plan_request
from deployments.invalidation.send import CachePaths, cost_of
from deployments.models import Environment
from edge.backends import get_backend
from qdn.console import DeployCommand, actor


class Command(DeployCommand):
    help = "Drop cached paths in the distributions of an environment, and say what that costs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="+", metavar="PATH", help="'*' only at the end")
        parser.add_argument("--environment", default="production")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        backend = get_backend()
        drops = plan_request(backend, environment, options["paths"])
        cost = cost_of(backend.pricing, drops.paths)
        for line in drops.lines():
            self.say(f"Drop in {line}")
        if options["dry_run"]:
            self.summarise(f"Would invalidate {cost}")
            return self._result(drops, 0, cost)
        self.confirm(environment, f"Drop them in {environment}?", yes=options["yes"])
        self.so_far = "What was asked for before stands."
        invalidated = drop(DeployContext(backend, self.say, _no_lock), drops, actor=actor())
        self.summarise(f"Invalidated {cost}")
        return self._result(drops, invalidated, cost)

    def _result(self, drops: CachePaths, invalidated: int, cost: str) -> dict[str, Any]:
        return {
            "environment": drops.environment.name,
            "distributions": {name: list(entries) for name, entries in drops.entries.items()},
            "paths": drops.paths,
            "invalidated": invalidated,
            "cost": cost,
        }


def _no_lock() -> None:
    """Keep no lock: dropping switches nothing."""
