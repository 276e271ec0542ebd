from argparse import ArgumentParser
from typing import Any

from deployments.deploy.freezes import request_unfreeze
from deployments.models import Environment, Freeze
from deployments.wording import plural
from qdn.console import DeployCommand


class Command(DeployCommand):
    help = "Allow deployments to an environment again, also of releases it was rolled back from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", default="production")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        caller = self.caller(environment, options)
        freezes = request_unfreeze(environment, caller=caller, dry_run=options["dry_run"])
        count = plural(len(freezes), "freeze")
        if not freezes:
            self.summarise(f"Nothing to do: {environment} is not frozen")
        elif options["dry_run"]:
            self.summarise(f"Would lift {count} of {environment}")
        else:
            self.summarise(f"{environment} accepts deployments again: {count} lifted")
        return {"environment": environment.name, "lifted": [_row(one) for one in freezes]}


def _row(freeze: Freeze) -> dict[str, str | None]:
    return {
        "reason": freeze.reason,
        "release": freeze.release.name if freeze.release else None,
    }
