"""What was live when: an environment's past, read from the deployments that switched it.

A deployment counts from when it was recorded, which is what `history` shows; a canary never does,
since most viewers kept what was live.
"""

from datetime import datetime

from django.utils import timezone

from deployments.errors import Refused
from deployments.models import Deployment, Environment
from deployments.moments import shown


def live_at(environment: Environment, moment: datetime) -> Deployment:
    """Find the deployment an environment served at a moment, with release and function.

    Raises Refused for a moment to come, and for one before anything was live.
    """
    if moment > timezone.now():
        raise Refused(
            "moment-to-come",
            f"{shown(moment)} is still to come: nobody knows what {environment} will serve.",
            f"Name a moment of the past: manage.py history --environment {environment}",
        )
    found = _last_before(environment, moment)
    if found is None:
        raise Refused(
            "nothing-live-then",
            f"{environment} served nothing at {shown(moment)}.",
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
