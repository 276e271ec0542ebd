"""What was live when, read from the deployments that switched all viewers.

Two releases could be called "previous", and they differ after a rollback:

replaced release    the last other release that was live; its pages may still be open
rollback target     where `rollback` without a name goes; None if there is nothing earlier

After A, then B, then a rollback to A, the replaced release is B, and there is nothing to roll back
to. A deployment counts from when it was recorded, as `history` shows it. A canary never counts,
since most viewers keep the live release.
"""

from datetime import datetime

from deployments.errors import Refused
from deployments.models import Deployment, Environment, Release
from deployments.wording import format_time
from edge.database_clock import database_now


def live_of(environment: Environment) -> Deployment:
    """Return the live deployment of an environment. Raises Refused if there is none."""
    live = environment.live
    if live is None:
        raise Refused(
            "nothing-to-promote",
            f"{environment} has nothing live that could be promoted.",
            f"Push first: manage.py push --to {environment}",
        )
    return live


def live_at(environment: Environment, moment: datetime) -> Deployment:
    """Return the deployment an environment served at a moment, with release and function.

    Raises Refused for a future moment, and for one before anything was live.
    """
    if moment > database_now():
        raise Refused(
            "moment-to-come",
            f"{format_time(moment)} is in the future.",
            f"Choose an earlier time: manage.py history --environment {environment}",
        )
    found = _last_before(environment, moment)
    if found is None:
        raise Refused(
            "nothing-live-then",
            f"{environment} served nothing at {format_time(moment)}.",
            f"See its first deployment: manage.py history --environment {environment}",
        )
    return found


def live_since(environment: Environment, moment: datetime) -> list[Deployment]:
    """Return the deployments an environment served at any time since a moment, in order."""
    first = _last_before(environment, moment)
    later = environment.deployments.switched().filter(at__gt=moment).select_related("release")
    return ([first] if first else []) + list(later.order_by("pk"))


def replaced_release(environment: Environment, release: Release) -> Release | None:
    """Return the last release that was live other than `release`; None for the first."""
    others = environment.deployments.switched().exclude(release=release)
    last = others.select_related("release").order_by("pk").last()
    return last.release if last else None


def rollback_release(environment: Environment) -> Release | None:
    """Return the rollback target; None if there is nothing earlier.

    While a canary runs, `rollback` ends the canary first.
    """
    served = served_in_order(environment)
    return served[-2].release if len(served) > 1 else None


def served_in_order(environment: Environment) -> list[Deployment]:
    """Return the deployments that led to the live one, which is last: the way back.

    A rollback removes what it left; deploying what is live adds nothing.
    """
    stack: list[Deployment] = []
    past = environment.deployments.switched().select_related("release", "function")
    for deployment in past.order_by("pk"):
        if deployment.kind == Deployment.Kind.ROLLBACK:
            stack = _cut_back(stack, deployment)
        if not stack or not _same(stack[-1], deployment):
            stack.append(deployment)
    return stack


def _cut_back(stack: list[Deployment], rollback: Deployment) -> list[Deployment]:
    """Return the stack up to where a rollback went, or all of it if it went elsewhere."""
    kept = next((n for n in range(len(stack) - 1, -1, -1) if _same(stack[n], rollback)), None)
    return stack if kept is None else stack[: kept + 1]


def _same(one: Deployment, other: Deployment) -> bool:
    return one.release_id == other.release_id and one.function_id == other.function_id


def _last_before(environment: Environment, moment: datetime) -> Deployment | None:
    past = environment.deployments.switched().filter(at__lte=moment)
    last: Deployment | None = past.select_related("release", "function").order_by("pk").last()
    return last
