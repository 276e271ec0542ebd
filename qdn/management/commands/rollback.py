from argparse import ArgumentParser
from typing import Any

from deployments.deploy.plan import Target
from deployments.deploy.targets import rollback_target
from deployments.models import Environment, Release
from qdn.console import actor
from qdn.moments import moment
from qdn.switching import SwitchCommand


class Command(SwitchCommand):
    help = "Point an environment at a release that was live before (default: the one before)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("release", nargs="?", metavar="RELEASE")
        which.add_argument(
            "--at", type=moment, metavar="TIME", help="go back to what was live at this time"
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
