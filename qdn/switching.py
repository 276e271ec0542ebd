"""What promote, rollback and push_functions share: show, ask, switch, sum up."""

import time
from argparse import ArgumentParser
from typing import Any

from deployments.deploying import deploy
from deployments.plans import Plan, Target
from deployments.strategies import plan_deployment
from edge.backends import get_backend
from qdn.console import DeployCommand


class SwitchCommand(DeployCommand):
    """A command that deploys a target made from its options."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="kept in the history")

    def target(self, **options: Any) -> Target:
        """Make the target the options ask for."""
        raise NotImplementedError

    def prepare(self, target: Target) -> None:
        """Do what comes before the switch and is not for a dry run. Raises Refused."""

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        backend = get_backend()
        target = self.target(**options)
        plan = plan_deployment(backend, target)
        self._show(plan)
        if options["dry_run"]:
            return self._result(plan, None, 0, started)
        self.so_far = f"{target.environment} serves what it did."
        self.prepare(target)
        if not plan.is_done:
            question = f"Point {target.environment} at {target.release}?"
            self.confirm(target.environment, question, yes=options["yes"])
        done = deploy(backend, target, say=self.say)
        number = done.deployment.pk if done.deployment else None
        result = self._result(done.plan, number, done.invalidated, started)
        if done.deployment is None:
            self.summarise(f"Nothing to do: {target.environment} serves {target.release} already")
        else:
            self.summarise(
                f"{target.environment} serves {target.release}, before {plan.live or 'nothing'}: "
                f"deployment {number}, {done.invalidated} paths invalidated, "
                f"{result['seconds']} s"
            )
        return result

    def _show(self, plan: Plan) -> None:
        target = plan.target
        self.say(f"{target.environment}: {plan.live or 'nothing'} -> {target.release}")
        for line in plan.lines():
            self.say(line)

    def _result(
        self, plan: Plan, deployment: int | None, invalidated: int, started: float
    ) -> dict[str, Any]:
        target = plan.target
        return {
            "deployment": deployment,
            "environment": target.environment.name,
            "release": target.release.name,
            "previous": plan.live or None,
            "kind": target.kind.value,
            "invalidated": invalidated,
            "seconds": round(time.monotonic() - started, 2),
        }
