from argparse import ArgumentParser
from typing import Any

from edge.backends import get_backend
from qdn.console import OperatorCommand
from tracking.publishing import publish
from tracking.registry.writing import write_registry

NAMES = {"registry": "in the registry"}


class Command(OperatorCommand):
    help = "Publish every tracking document that is behind its job."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--all",
            action="store_true",
            help="write every document again, as after the loss of the object store",
        )
        parser.add_argument(
            "--registry",
            action="store_true",
            help="first write the private registry of jobs (registry/jobs.json)",
        )

    def run(self, **options: Any) -> dict[str, int]:
        objects, dry_run = get_backend().objects, options["dry_run"]
        registry = {}
        if options["registry"]:
            registry["registry"] = write_registry(objects, dry_run=dry_run)
        counts = publish(objects=objects, everything=options["all"], dry_run=dry_run) | registry
        prefix = "Would be: " if dry_run else ""
        self.summarise(
            prefix
            + ", ".join(f"{number} {NAMES.get(name, name)}" for name, number in counts.items())
        )
        return counts
