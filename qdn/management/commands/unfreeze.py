from argparse import ArgumentParser
from typing import Any

from deployments.deploy.freezes import unfreeze
from deployments.models import Environment, Freeze
from qdn.console import DeployCommand, actor


class Command(DeployCommand):
    help = "Let deployments to an environment go on, and what it was rolled back from return."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", default="production")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        standing = list(environment.freezes.in_force().select_related("release"))
        for one in standing:
            self.say(_line(one))
        if not standing:
            self.summarise(f"Nothing to do: {environment} is not frozen")
        elif options["dry_run"]:
            self.summarise(f"Would lift {len(standing)} freezes of {environment}")
        else:
            self.confirm(environment, f"Unfreeze {environment}?", yes=options["yes"])
            standing = unfreeze(environment=environment, actor=actor())
            self.summarise(f"{environment} takes deployments again: lifted {len(standing)}")
        lifted = [{"reason": one.reason, "release": _release(one)} for one in standing]
        return {"environment": environment.name, "lifted": lifted}


def _release(freeze: Freeze) -> str | None:
    return freeze.release.name if freeze.release else None


def _line(freeze: Freeze) -> str:
    what = f"release {freeze.release}" if freeze.release else "all deployments"
    return f"Frozen by {freeze.actor}: {what}: {freeze.reason}"
