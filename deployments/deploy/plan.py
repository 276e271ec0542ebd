"""Planning a deployment: what an environment should serve, and what would change.

Nothing here writes: a dry run is a plan that is not carried out. The contents of a plan depend on
the environment's strategy (deployments/deploy/strategies.py).
"""

from dataclasses import dataclass
from typing import Protocol

from deployments.models import Deployment, Environment, FunctionVersion, Release


@dataclass(frozen=True, slots=True)
class Target:
    """What an environment should serve, and who asked for it.

    `chosen_from` is the live release that the choice was based on, or that was shown before it was
    confirmed: the target is valid only while that release is live. `percent` is the share of
    viewers who see a canary; the others keep the live release.
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
        share = f" for {self.percent}% of viewers" if self.percent is not None else ""
        return f"{self.release}{share}"


class Plan(Protocol):
    """What deploying a target would change."""

    @property
    def target(self) -> Target: ...

    @property
    def live(self) -> str:
        """The name of the release the environment serves now, or ""."""

    @property
    def is_done(self) -> bool:
        """Whether the environment already serves the target."""

    def lines(self) -> list[str]:
        """Return what would change besides the release, one line each."""


def next_command(plan: Plan, *, again: bool = False) -> str:
    """Return the command that brings the environment to what it should serve.

    Going back uses `promote --release`, since `rollback` refuses a release that was never live
    there. A rollback is always finished: if it took place, the release it left cannot be promoted.
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
    """Return the command after which an environment serves a release."""
    return f"manage.py promote --release {release} --to {environment} --yes"
