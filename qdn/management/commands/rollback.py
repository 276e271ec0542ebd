from argparse import ArgumentParser
from typing import Any

from deployments.deploy.plan import Target
from deployments.deploy.targets import rollback_target
from deployments.models import Environment, Release
from qdn.arguments import moment
from qdn.console import actor
from qdn.switching import SwitchCommand


class Command(SwitchCommand):
    help = "Return to a release that was live before; default: what the live release replaced."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("release", nargs="?", metavar="RELEASE")
        which.add_argument(
            "--at", type=moment, metavar="TIME", help="return to what was live at this time"
        )
        parser.add_argument("--environment", default="production")

    def target(self, **options: Any) -> Target:
        named = options["release"]
        return rollback_target(
            environment=Environment.objects.named(options["environment"]),
            release=Release.objects.named(named) if named else None,
            at=options["at"],
            actor=actor(),
            reason=options["reason"],
        )
