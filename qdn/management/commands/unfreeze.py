from argparse import ArgumentParser
from typing import Any

from deployments.deploy.freezes import unfreeze
from deployments.models import Environment, Freeze
from deployments.wording import plural
from qdn.console import DeployCommand, actor


class Command(DeployCommand):
    help = "Allow deployments to an environment again, also of releases it was rolled back from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", default="production")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        freezes = list(environment.freezes.in_force().select_related("release"))
        for one in freezes:
            scope = f"release {one.release}" if one.release else "all deployments"
            self.say(f"Frozen by {one.actor}: {scope}: {one.reason}")
        if not freezes:
            self.summarise(f"Nothing to do: {environment} is not frozen")
        elif options["dry_run"]:
            self.summarise(f"Would lift {plural(len(freezes), 'freeze')} of {environment}")
        else:
            self.confirm(environment, f"Unfreeze {environment}?", yes=options["yes"])
            freezes = unfreeze(environment=environment, actor=actor())
            lifted = plural(len(freezes), "freeze")
            self.summarise(f"{environment} accepts deployments again: {lifted} lifted")
        return {"environment": environment.name, "lifted": [_row(one) for one in freezes]}


def _row(freeze: Freeze) -> dict[str, str | None]:
    return {
        "reason": freeze.reason,
        "release": freeze.release.name if freeze.release else None,
    }
