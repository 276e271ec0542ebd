"""Proposals: what an operator is about to confirm in the admin, and what was confirmed.

The targets are those of the commands. A confirmed proposal is kept by name (release, function,
share), together with the live release and canary of that moment, so that a task either does exactly
that or refuses.
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
    """The request of a page: `source` and `release` as in the commands, `percent` of a canary."""

    kind: Kind
    environment: Environment
    source: Environment | None = None
    release: Release | None = None
    percent: int | None = None

    def target(self, *, actor: str, reason: str) -> Target:
        """Return the target that the command of the same name would use. Raises Refused."""
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
        """Return the source; a release that is named needs none."""
        source = self.source or (self.environment if self.release else None)
        if source is None:
            raise Refused(
                "nothing-to-promote",
                f"No other environment has a live release to promote to {self.environment}.",
                "Push one first: manage.py push --to staging",
            )
        return source


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan to confirm, and the part of it that must not change before it is carried out."""

    plan: Plan

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do, not even an interrupted deployment to settle."""
        return self.plan.is_done and not self.interrupted

    @property
    def interrupted(self) -> list[Deployment]:
        """The deployments this one would settle first; none while another one is in progress."""
        environment = self.plan.target.environment
        lock = DeployLock.objects.filter(environment=environment).first()
        if lock and not is_stale(lock):
            return []
        return list(environment.deployments.unfinished())

    def lines(self) -> list[str]:
        """Return what would change besides the release, one line each."""
        settled = [f"Interrupted deployment {one.pk} is settled first" for one in self.interrupted]
        return settled + self.plan.lines()

    @property
    def options(self) -> dict[str, Any]:
        """What an operation keeps: release, function, percent; live release and canary as seen."""
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
        """The options as text, which a page carries until it is confirmed."""
        return json.dumps(self.options, sort_keys=True)


def propose(backend: Backend, asked: DeployRequest, *, actor: str, reason: str = "") -> Proposal:
    """Plan a request. Raises Refused, EdgeError."""
    return Proposal(plan_deployment(backend, asked.target(actor=actor, reason=reason)))


def replaced_by(plan: Plan) -> Release | None:
    """Return the release whose viewers get another one: the live release, or a canary's.

    Rolling back to the live release ends a canary, so only the canary's viewers get other files.
    """
    environment, target = plan.target.environment, plan.target
    if environment.canary and target.release.name == plan.live:
        return environment.canary.release
    return Release.objects.filter(name=plan.live).first()


def differences(backend: Backend, before: Release | None, plan: Plan) -> Diff | str:
    """Return the files that would change, or why they cannot be shown. Raises EdgeError."""
    try:
        return diff_releases(backend.objects, before, plan.target.release)
    except DeploymentError as error:
        return f"The changes cannot be shown: {error.message}"


def confirmed_target(operation: Operation) -> Target:
    """Return the target that was confirmed, even if it would now be another. Raises Refused."""
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
    """Refuse if the environment has changed since the confirmation.

    No other check notices a canary that began or ended since. Raises ChangedMeanwhile.
    """
    environment, seen = operation.environment, operation.options
    pairs = (
        (seen["live"] or "nothing", plan.live or "nothing"),
        (_describe(seen["canary"]), _describe(_canary_of(environment))),
    )
    for before, now in pairs:
        if before != now:
            raise ChangedMeanwhile(
                "live-changed",
                f"{environment} had {before} when this was confirmed and now has {now}. Nothing "
                "was changed.",
                "Look at the environment's page, then decide again.",
            )


def _canary_of(environment: Environment) -> list[Any] | None:
    canary = environment.canary
    return [canary.release.name, canary.percent] if canary else None


def _describe(canary: list[Any] | None) -> str:
    return f"{canary[0]} for {canary[1]}% of viewers" if canary else "no canary"
