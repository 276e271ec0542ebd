from argparse import ArgumentParser
from typing import Any

from deployments.deploy.freezes import request_unfreeze
from deployments.models import Environment, Freeze, Release
from qdn.console import DeployCommand


class Command(DeployCommand):
    help = "Lift the freeze of an environment, or the guard on a release it was rolled back from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", default="production")
        parser.add_argument(
            "--release", metavar="ID", help="lift the guard on this release, and no freeze"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        release = Release.objects.named(options["release"]) if options["release"] else None
        freezes = request_unfreeze(
            environment,
            release=release,
            caller=self.caller(environment, options),
            dry_run=options["dry_run"],
        )
        what = f"guard on {release}" if release else "freeze"
        if not freezes:
            self.summarise(f"Nothing to do: {environment} has no {what}")
        elif options["dry_run"]:
            self.summarise(f"Would lift the {what} of {environment}")
        else:
            self.summarise(f"Lifted the {what} of {environment}")
        return {"environment": environment.name, "lifted": [_row(one) for one in freezes]}


def _row(freeze: Freeze) -> dict[str, str | None]:
    return {
        "reason": freeze.reason,
        "release": freeze.release.name if freeze.release else None,
    }
