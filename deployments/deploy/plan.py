"""Describing a deployment before it is done: what an environment shall serve, and what changes.

Nothing here writes, so a dry run is a plan that nobody carries out. What a plan consists of depends
on the environment's strategy (deployments/deploy/strategies.py).
"""

from dataclasses import dataclass
from typing import Protocol

from deployments.models import Deployment, Environment, FunctionVersion, Release


@dataclass(frozen=True, slots=True)
class Target:
    """What an environment shall serve, and on whose word.

    `chosen_from` is the live release the choice was made from, where it was made for the operator,
    or shown to whoever said yes: it holds only while that is live.
    `percent` is the share of the viewers who shall see it: a canary; the others keep what is live.
    """

    environment: Environment
    release: Release
    function: FunctionVersion
    kind: Deployment.Kind
    actor: str
    reason: str
    chosen_from: Release | None = None
    percent: int | None = None

    def __str__(self) -> str:
        share = f" for {self.percent} % of the viewers" if self.percent is not None else ""
        return f"{self.release}{share}"


class Plan(Protocol):
    """What deploying a target would change."""

    @property
    def target(self) -> Target: ...

    @property
    def live(self) -> str:
        """Name of the release the environment serves now, or nothing."""

    @property
    def is_done(self) -> bool:
        """Whether the environment serves the target already."""

    def lines(self) -> list[str]:
        """Tell people what would change besides the release, a line each."""


def next_command(plan: Plan, *, again: bool = False) -> str:
    """Name the command that brings the environment to what it should serve.

    A release that was never live there is not for `rollback`: `promote --release` takes any. A
    rollback is gone on with all the same: if it took place, what it left cannot be promoted.
    """
    target, environment = plan.target, plan.target.environment
    if not again and target.kind != Deployment.Kind.ROLLBACK:
        return serve_command(plan.live or target.release, environment)
    if target.kind == Deployment.Kind.FUNCTION:
        return f"manage.py push_functions --environment {environment} --yes"
    if target.kind == Deployment.Kind.ROLLBACK:
        return f"manage.py rollback {target.release} --environment {environment} --yes"
    share = f" --canary {target.percent}" if target.percent is not None else ""
    return serve_command(target.release, environment) + share


def serve_command(release: object, environment: object) -> str:
    """Name the command after which an environment serves a release."""
    return f"manage.py promote --release {release} --to {environment} --yes"
