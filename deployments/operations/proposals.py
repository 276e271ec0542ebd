"""Proposals: what somebody is about to confirm in the admin, and what they then did confirm.

The targets are those of the commands. What is confirmed is kept by name (release, function, share)
together with what was live and on trial at that moment, so that a task does that or refuses.
"""

import json
from dataclasses import dataclass
from typing import Any

from deployments.deploy.plan import Plan, Target
from deployments.deploy.strategies import plan_deployment
from deployments.deploy.targets import canary_target, promote_target, rollback_target
from deployments.errors import ChangedMeanwhile, DeploymentError, Refused
from deployments.locks.lease import is_stale
from deployments.models import (
    DeployLock,
    Deployment,
    Environment,
    FunctionVersion,
    Operation,
    Release,
)
from deployments.releases.diff import Diff, diff_releases
from edge.protocols import Backend

Kind = Deployment.Kind
KINDS = (Kind.PROMOTE, Kind.CANARY, Kind.ROLLBACK)


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What a page asks for: `source` and `release` as in the commands, `percent` of a canary."""

    kind: Kind
    environment: Environment
    source: Environment | None = None
    release: Release | None = None
    percent: int | None = None

    def target(self, *, actor: str, reason: str) -> Target:
        """Make the target the command of the same name would make. Raises Refused."""
        if self.kind == Kind.ROLLBACK:
            return rollback_target(
                environment=self.environment, release=self.release, actor=actor, reason=reason
            )
        asked: dict[str, Any] = {
            "source": self._source(),
            "to": self.environment,
            "release": self.release,
            "actor": actor,
            "reason": reason,
        }
        if self.kind == Kind.CANARY:
            return canary_target(**asked, percent=self.percent or 0)
        return promote_target(**asked)

    def _source(self) -> Environment:
        """Find where the release comes from; one that is named comes from nowhere."""
        source = self.source or (self.environment if self.release else None)
        if source is None:
            raise Refused(
                "nothing-to-promote",
                f"No other environment has a release live that {self.environment} could take.",
                "Push one first: manage.py push --to staging",
            )
        return source


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan to be confirmed, and the share of it that must not change until it is done."""

    plan: Plan

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do, not even to settle what was interrupted."""
        return self.plan.is_done and not self.interrupted

    @property
    def interrupted(self) -> list[Deployment]:
        """List the deployments this one would settle first; none while somebody is at work."""
        environment = self.plan.target.environment
        lock = DeployLock.objects.filter(environment=environment).first()
        if lock and not is_stale(lock):
            return []
        return list(environment.deployments.unfinished())

    def lines(self) -> list[str]:
        """Tell what would change besides the release, a line each."""
        settled = [f"Interrupted deployment {one.pk} is settled first" for one in self.interrupted]
        return settled + self.plan.lines()

    @property
    def options(self) -> dict[str, Any]:
        """Give what an operation keeps: release, function, percent; live and canary as seen."""
        target = self.plan.target
        return {
            "release": target.release.name,
            "function": target.function.digest,
            "percent": target.percent,
            "live": self.plan.live,
            "canary": _canary_of(target.environment),
        }

    @property
    def seen(self) -> str:
        """Give the same as text, for a page to carry until it is confirmed."""
        return json.dumps(self.options, sort_keys=True)


def propose(backend: Backend, asked: DeployRequest, *, actor: str, reason: str = "") -> Proposal:
    """Plan what is asked for. Raises Refused, EdgeError."""
    return Proposal(plan_deployment(backend, asked.target(actor=actor, reason=reason)))


def seen_before(plan: Plan) -> Release | None:
    """Find what is seen by those for whom something changes: the live release, or a canary's.

    Going back to what is live ends a canary: it is the canary's viewers who get other files.
    """
    environment, target = plan.target.environment, plan.target
    if environment.canary and target.release.name == plan.live:
        return environment.canary.release
    return Release.objects.filter(name=plan.live).first()


def differences(backend: Backend, before: Release | None, plan: Plan) -> Diff | str:
    """Find the files that would change, or say why that cannot be told. Raises EdgeError."""
    try:
        return diff_releases(backend.objects, before, plan.target.release)
    except DeploymentError as error:
        return f"What would change cannot be told: {error.message}"


def confirmed_target(operation: Operation) -> Target:
    """Make the target of what was confirmed: never again from what is live now. Raises Refused."""
    options = operation.options
    return Target(
        environment=operation.environment,
        release=Release.objects.named(options["release"]),
        function=FunctionVersion.objects.get(digest=options["function"]),
        kind=Kind(operation.kind),
        actor=operation.actor,
        reason=operation.reason,
        percent=options["percent"],
    )


def check_as_confirmed(operation: Operation, plan: Plan) -> None:
    """Refuse when the environment serves something else than when it was confirmed.

    A canary that came or went meanwhile is seen here alone. Raises ChangedMeanwhile.
    """
    environment, seen = operation.environment, operation.options
    pairs = (
        (seen["live"] or "nothing", plan.live or "nothing"),
        (_told(seen["canary"]), _told(_canary_of(environment))),
    )
    for before, now in pairs:
        if before != now:
            raise ChangedMeanwhile(
                "live-changed",
                f"{environment} had {before} when this was confirmed, and has {now} now. Nothing "
                "was changed.",
                "Look at the environment's page, then decide again.",
            )


def _canary_of(environment: Environment) -> list[Any] | None:
    canary = environment.canary
    return [canary.release.name, canary.percent] if canary else None


def _told(canary: list[Any] | None) -> str:
    return f"{canary[0]} for {canary[1]} % of the viewers" if canary else "no canary"
