from argparse import ArgumentParser
from typing import Any

from deployments.deploy.plan import Target
from deployments.deploy.targets import function_target
from deployments.deploy.trial import try_out
from deployments.models import Environment
from deployments.wording import plural
from edge.backends import get_backend
from qdn.console import actor
from qdn.switching import SwitchCommand


class Command(SwitchCommand):
    help = "Validate the shipped edge function, try it out and publish it to an environment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", default="staging")

    def target(self, **options: Any) -> Target:
        return function_target(
            environment=Environment.objects.named(options["environment"]),
            actor=actor(),
            reason=options["reason"],
        )

    def prepare(self, target: Target) -> None:
        tests = try_out(get_backend(), target)
        self.say(f"Try out edge function {target.function}: {plural(len(tests), 'request')} passed")
        utilizations = [test.utilization for test in tests if test.utilization is not None]
        if utilizations:
            self.say(f"It uses {max(utilizations)}% of the compute time that CloudFront allows")
