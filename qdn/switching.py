"""What push, promote, rollback and push_functions share: the lock, the caller, the report."""

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from deployments.context import Caller
from deployments.deploy.deploy import Deployed
from deployments.deploy.plan import Target
from deployments.deploy.switch import switch
from deployments.invalidation.wait import wait_until_dropped
from deployments.locks.deploy_lock import NO_PATIENCE, Patience
from deployments.models import Environment
from deployments.releases.diff import Diff
from deployments.wording import plural
from edge.backends import get_backend
from qdn.arguments import reason, seconds
from qdn.console import DeployCommand


class LockingCommand(DeployCommand):
    """A command that needs an environment's lock: waits for it, or takes it over on request."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-wait", type=seconds, default=0, metavar="SECONDS", help="wait for the lock"
        )
        parser.add_argument(
            "--take-over", action="store_true", help="end another run's lock; needs --yes"
        )

    def caller(self, environment: Environment, options: Mapping[str, Any]) -> Caller:
        patience = self.patience(environment, options)
        return replace(super().caller(environment, options), patience=patience)

    def patience(self, environment: Environment, options: Mapping[str, Any]) -> Patience:
        """Return what to do about a lock that another run holds. Raises Refused."""
        if options["dry_run"]:
            return NO_PATIENCE
        if options["take_over"]:
            question = f"End the lock of {environment}, even if another run is working under it?"
            self.ask(question, yes=options["yes"], why="Taking a lock over may cut work short")
        return Patience(options["lock_wait"], options["take_over"])


class WaitingCommand(DeployCommand):
    """A command that can wait until the edges have dropped what it invalidated."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--wait",
            action="store_true",
            help="wait until the edges have dropped invalidated paths",
        )

    def wait(self, environment: Environment, options: Mapping[str, Any]) -> None:
        """Wait if that was asked for. Raises PartlyChanged."""
        if options["wait"] and not options["dry_run"]:
            seconds = wait_until_dropped(get_backend(), environment, say=self.say)
            self.say(f"The edges have dropped everything that was invalidated ({seconds} s)")


class SwitchCommand(WaitingCommand, LockingCommand):
    """A command that deploys a target made from its options."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", type=reason, default="", help="kept in the history")

    def target(self, **options: Any) -> Target:
        """Return the target the options ask for."""
        raise NotImplementedError

    def prepare(self, target: Target) -> None:
        """Do what comes before the switch and is left out of a dry run. Raises Refused."""

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        target = self.target(**options)
        deployed = switch(
            get_backend(),
            target,
            caller=self.caller(target.environment, options),
            prepare=self.prepare,
            dry_run=options["dry_run"],
        )
        self.wait(target.environment, options)
        found = self.look_after(deployed, **options)
        result = self.report(
            deployed, started, changes=deployed.changes, dry_run=options["dry_run"]
        )
        return result | found

    def look_after(self, deployed: Deployed, **options: Any) -> dict[str, Any]:
        """Look at what depends on the switch, which is final; return what --json adds."""
        return {}

    def report(
        self, deployed: Deployed, started: float, *, changes: Diff | None, dry_run: bool = False
    ) -> dict[str, Any]:
        """Print the summary; return what --json writes."""
        plan, target = deployed.plan, deployed.plan.target
        result: dict[str, Any] = {
            "deployment": deployed.deployment.pk if deployed.deployment else None,
            "environment": target.environment.name,
            "release": target.release.name,
            "previous": plan.live or None,
            "kind": target.kind.value,
            **({} if target.percent is None else {"percent": target.percent}),
            "invalidated": deployed.invalidated,
            "seconds": round(time.monotonic() - started, 2),
        }
        if not dry_run:
            self._sum_up(deployed, result["seconds"])
        return result | ({"changes": changes.counts} if changes else {})

    def _sum_up(self, deployed: Deployed, seconds: float) -> None:
        plan, target = deployed.plan, deployed.plan.target
        if deployed.deployment is None:
            # What followed the last switch may have been repaired, as the lines above say.
            nothing = "Nothing else to do" if deployed.invalidated else "Nothing to do"
            self.summarise(f"{nothing}: {target.environment} already serves {target}")
            return
        before = "" if plan.live == target.release.name else f", before {plan.live or 'nothing'}"
        self.summarise(
            f"{target.environment} serves {target}{before}: deployment {deployed.deployment.pk}, "
            f"{plural(deployed.invalidated, 'path')} invalidated, {seconds} s"
        )
