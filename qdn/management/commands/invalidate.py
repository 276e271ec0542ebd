from argparse import ArgumentParser
from typing import Any

from deployments.invalidation.by_path import invalidate_paths
from deployments.models import Environment
from edge.backends import get_backend
from qdn.switching import WaitingCommand


class Command(WaitingCommand):
    help = "Invalidate cached paths of an environment and show what that costs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="+", metavar="PATH", help="'*' only at the end")
        parser.add_argument("--environment", default="production")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        done = invalidate_paths(
            get_backend(),
            environment,
            options["paths"],
            caller=self.caller(environment, options),
            dry_run=options["dry_run"],
        )
        self.wait(environment, options)
        self.summarise(f"{'Would invalidate' if options['dry_run'] else 'Invalidated'} {done.cost}")
        entries = {name: list(paths) for name, paths in done.drops.entries.items()}
        return {
            "environment": environment.name,
            "distributions": entries,
            "paths": done.drops.paths,
            "invalidated": done.count,
            "cost": done.cost,
        }
