from argparse import ArgumentParser
from typing import Any

from deployments.models import Environment, Release
from deployments.plans import Target
from deployments.promotion import promote_target
from qdn.console import actor
from qdn.switching import SwitchCommand


class Command(SwitchCommand):
    help = "Point production at what staging has live: same release, same edge function."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", dest="source", default="staging", metavar="ENVIRONMENT")
        parser.add_argument("--to", default="production", metavar="ENVIRONMENT")
        parser.add_argument("--release", metavar="ID", help="this release instead")

    def target(self, **options: Any) -> Target:
        named = options["release"]
        return promote_target(
            source=Environment.objects.named(options["source"]),
            to=Environment.objects.named(options["to"]),
            release=Release.objects.named(named) if named else None,
            actor=actor(),
            reason=options["reason"],
        )
