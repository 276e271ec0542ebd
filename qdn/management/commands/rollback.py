from argparse import ArgumentParser
from typing import Any

from deployments.models import Environment, Release
from deployments.plans import Target
from deployments.promotion import rollback_target
from qdn.console import actor
from qdn.switching import SwitchCommand


class Command(SwitchCommand):
    help = "Point an environment at a release that was live before (default: the one before)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("release", nargs="?", metavar="RELEASE")
        parser.add_argument("--environment", default="production")

    def target(self, **options: Any) -> Target:
        named = options["release"]
        return rollback_target(
            environment=Environment.objects.named(options["environment"]),
            release=Release.objects.named(named) if named else None,
            actor=actor(),
            reason=options["reason"],
        )
