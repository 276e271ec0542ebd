"""What was live when: an environment's past, read from the deployments that switched it.

A deployment counts from when it was recorded, which is what `history` shows; a canary never does,
since most viewers kept what was live.
"""

from datetime import datetime

from django.utils import timezone

from deployments.errors import Refused
from deployments.models import (
    Deployment,
    Environment,
    Release,
    Strategy,
)
from deployments.wording import format_time


def live_at(environment: Environment, moment: datetime) -> Deployment:
    """Find the deployment an environment served at a moment, with release and function.

    Raises Refused for a moment to come, and for one before anything was live.
    """
    if moment > timezone.now():
        raise Refused(
            "moment-to-come",
            f"{format_time(moment)} is still to come: nobody knows what {environment} will serve.",
            f"Name a moment of the past: manage.py history --environment {environment}",
        )
    found = _last_before(environment, moment)
    if found is None:
        raise Refused(
            "nothing-live-then",
            f"{environment} served nothing at {format_time(moment)}.",
            f"See since when it does: manage.py history --environment {environment}",
        )
    return found


def live_since(environment: Environment, moment: datetime) -> list[Deployment]:
    """List the deployments an environment served at any time from a moment on, in order."""
    first = _last_before(environment, moment)
    later = environment.deployments.switched().filter(at__gt=moment).select_related("release")
    return ([first] if first else []) + list(later.order_by("pk"))


def _last_before(environment: Environment, moment: datetime) -> Deployment | None:
    past = environment.deployments.switched().filter(at__lte=moment)
    last: Deployment | None = past.select_related("release", "function").order_by("pk").last()
    return last


def unfinished_since(environment: Environment, live: Deployment | None) -> list[Deployment]:
    """List the deployments after the live one whose copies may have arrived in part."""
    later = environment.deployments.filter(strategy=Strategy.COPY).select_related("release")
    return list(later.filter(pk__gt=live.pk) if live else later)


def kept_release(environment: Environment, release: Release) -> Release | None:
    """Find the release served before one: its assets stay, since open pages refer to them."""
    before = environment.deployments.switched().filter(strategy=Strategy.COPY)
    last = before.exclude(release=release).select_related("release").last()
    return last.release if last else None


def previous_release(environment: Environment) -> Release | None:
    """Find what a rollback without a name would go to."""
    past = served_in_order(environment)
    return past[-2].release if len(past) > 1 else None


def served_in_order(environment: Environment) -> list[Deployment]:
    """List what an environment came to serve, as a stack: the live deployment is the last one.

    A rollback takes off what it left; a deployment of what is live adds nothing.
    """
    stack: list[Deployment] = []
    past = environment.deployments.switched().select_related("release", "function")
    for deployment in past.order_by("pk"):
        if deployment.kind == Deployment.Kind.ROLLBACK:
            stack = _without_what_was_left(stack, deployment)
        if not stack or not _same(stack[-1], deployment):
            stack.append(deployment)
    return stack


def _without_what_was_left(stack: list[Deployment], rollback: Deployment) -> list[Deployment]:
    """Cut a stack back to what the rollback went to; whole when that is not in it."""
    kept = next((n for n in range(len(stack) - 1, -1, -1) if _same(stack[n], rollback)), None)
    return stack if kept is None else stack[: kept + 1]


def _same(one: Deployment, other: Deployment) -> bool:
    return one.release_id == other.release_id and one.function_id == other.function_id
