"""What promote, rollback and push_functions share: show, ask, switch, sum up."""

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from deployments.deploy.deploy import Done, deploy
from deployments.deploy.plan import Plan, Target
from deployments.deploy.strategies import plan_deployment
from deployments.errors import DeploymentError
from deployments.locks.deploy_lock import Patience
from deployments.models import Environment, Release
from deployments.releases.diff import diff_releases
from edge.backends import get_backend
from edge.protocols import Backend
from qdn.arguments import reason, seconds
from qdn.console import DeployCommand


class LockingCommand(DeployCommand):
    """A command that needs an environment's lock: waits for it, or takes it over, where asked."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-wait", type=seconds, default=0, metavar="SECONDS", help="wait for the lock"
        )
        parser.add_argument(
            "--take-over", action="store_true", help="end somebody else's lock; needs --yes"
        )

    def patience(self, environment: Environment, options: Mapping[str, Any]) -> Patience:
        """Tell what to do about a lock somebody else holds. Raises Refused."""
        take_over = options["take_over"]
        if take_over:
            question = f"End the lock of {environment}, whoever is at work under it?"
            self.ask(question, yes=options["yes"], why="Taking a lock over may cut work short")
        return Patience(options["lock_wait"], take_over)


class SwitchCommand(LockingCommand):
    """A command that deploys a target made from its options.

    `confirmed`: somebody said yes already, to what is deployed.
    """

    confirmed = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", type=reason, default="", help="kept in the history")

    def target(self, **options: Any) -> Target:
        """Make the target the options ask for."""
        raise NotImplementedError

    def prepare(self, target: Target) -> None:
        """Do what comes before the switch and is not for a dry run. Raises Refused."""

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        backend = get_backend()
        target = self.target(**options)
        environment = target.environment
        plan = plan_deployment(backend, target)
        self._show(plan)
        shows = environment.protected and not (options["yes"] or self.confirmed)
        asks = shows and not plan.is_done
        changes = self._changes(backend, plan) if asks or options["dry_run"] else {}
        if options["dry_run"]:
            return self._result(plan, None, 0, started) | changes
        self.so_far = f"{environment} serves what it did."
        self.prepare(target)
        if asks:
            self.confirm(environment, f"Point {environment} at {target}?", yes=False)
        if shows:  # what was seen is what is done, however long the answer took
            target = replace(target, chosen_from=target.chosen_from or _named(plan.live))
        patience = self.patience(environment, options)
        done = deploy(backend, target, say=self.say, patience=patience)
        number = done.deployment.pk if done.deployment else None
        result = self._result(done.plan, number, done.invalidated, started) | changes
        self._sum_up(done, result["seconds"])
        return result

    def _show(self, plan: Plan) -> None:
        target = plan.target
        self.say(f"{target.environment}: {plan.live or 'nothing'} -> {target}")
        for line in plan.lines():
            self.say(line)

    def _changes(self, backend: Backend, plan: Plan) -> dict[str, Any]:
        """Tell which files would change.

        Two manifests are read for it, whose size grows with the release: so it is done only where
        somebody is going to read it.
        """
        try:
            diff = diff_releases(backend.objects, _named(plan.live), plan.target.release)
        except DeploymentError as error:
            self.say(f"What would change cannot be told: {error.message}")
            return {}
        for line in diff.lines():
            self.say(line)
        return {"changes": diff.counts}

    def _sum_up(self, done: Done, seconds: float) -> None:
        plan, target = done.plan, done.plan.target
        if done.deployment is None:
            self.summarise(f"Nothing to do: {target.environment} serves {target} already")
            return
        before = "" if plan.live == target.release.name else f", before {plan.live or 'nothing'}"
        self.summarise(
            f"{target.environment} serves {target}{before}: deployment {done.deployment.pk}, "
            f"{done.invalidated} paths invalidated, {seconds} s"
        )

    def _result(
        self, plan: Plan, deployment: int | None, invalidated: int, started: float
    ) -> dict[str, Any]:
        target = plan.target
        share = {} if target.percent is None else {"percent": target.percent}
        return {
            "deployment": deployment,
            "environment": target.environment.name,
            "release": target.release.name,
            "previous": plan.live or None,
            "kind": target.kind.value,
            **share,
            "invalidated": invalidated,
            "seconds": round(time.monotonic() - started, 2),
        }


def _named(release: str) -> Release | None:
    return Release.objects.filter(name=release).first()
