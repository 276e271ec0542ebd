from argparse import ArgumentParser
from typing import Any

from deployments.invalidation.by_path import drop, plan_request
from deployments.invalidation.send import cost_of
from deployments.models import Environment
from edge.backends import get_backend
from qdn.console import DeployCommand, actor


class Command(DeployCommand):
    help = "Invalidate cached paths of an environment and show what that costs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="+", metavar="PATH", help="'*' only at the end")
        parser.add_argument("--environment", default="production")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        backend = get_backend()
        drops = plan_request(backend, environment, options["paths"])
        cost, invalidated = cost_of(backend.pricing, drops.paths), 0
        for line in drops.lines():
            self.say(f"Invalidate in {line}")
        if options["dry_run"]:
            self.summarise(f"Would invalidate {cost}")
        else:
            self.confirm(environment, f"Invalidate them in {environment}?", yes=options["yes"])
            self.so_far = "Requests sent before the failure stay in effect."
            invalidated = drop(backend, drops, actor=actor(), say=self.say)
            self.summarise(f"Invalidated {cost}")
        return {
            "environment": environment.name,
            "distributions": {name: list(entries) for name, entries in drops.entries.items()},
            "paths": drops.paths,
            "invalidated": invalidated,
            "cost": cost,
        }
