"""Describing a deployment before it is done: what an environment shall serve, and what changes.

Nothing here writes, so a dry run is a plan that nobody carries out. What a plan consists of depends
on the environment's strategy (deployments/strategies.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from deployments.artifacts import MANIFEST
from deployments.errors import Refused
from deployments.models import Deployment, Environment, FunctionVersion, Release
from edge.protocols import Backend, ObjectStore


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


@dataclass(frozen=True, slots=True)
class Run:
    """A deployment underway: the back end, whom to tell, and the lock it is done under.

    `keep_lock` extends the lease; it raises ChangedMeanwhile when the lock was taken over.
    """

    backend: Backend
    say: Callable[[str], None]
    keep_lock: Callable[[], None]


def check_whole(objects: ObjectStore, release: Release) -> None:
    """Refuse a release whose objects are gone.

    The work does not grow with the release: its manifest and its surfaces' pages are looked at.
    (That every file is there by size was established when the manifest was written, and whatever
    removes objects removes the manifest first.) Raises Refused.
    """
    if release.removed_at:
        raise release.gone
    expected = {MANIFEST: (None, release.digest)}
    expected |= {page["path"]: (page["size"], page["sha256"]) for page in release.pages.values()}
    for path, (size, digest) in expected.items():
        info = objects.head(release.key(path))
        if info is None or size not in {None, info.size} or info.metadata.get("sha256") != digest:
            fault = "missing" if info is None else "not what was pushed"
            raise objects_gone(release, f"{release.key(path)} is {fault}")


def objects_gone(release: Release, fault: str) -> Refused:
    """Tell that a release cannot be deployed any more."""
    return Refused(
        "objects-gone",
        f"Release {release} is no longer whole: {fault}.",
        "Push its content again, or choose another one: manage.py releases",
    )


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


def told(error: BaseException) -> str:
    """Say what went wrong, to stand in a sentence."""
    return str(error).rstrip(".") or "interrupted"
