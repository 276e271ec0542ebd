"""Checking an environment's tracking pages: a hidden job, followed through its edge."""

from typing import Any

from django.conf import settings
from django.db.models import Max

from deployments.deploy.probe import is_routed, preview_cookie
from deployments.errors import Refused
from deployments.models import Deployment, Environment
from deployments.verification.inspection import DOCTOR
from dispatch.errors import DispatchError
from edge.backends import get_backend
from edge.errors import EdgeError
from edge.protocols import Backend, ViewerResponse
from qdn.tasks import queues
from qdn.tasks.findings import fault_of
from tracking.checking import check_tracking
from tracking.models import MAX_PROBLEM_LENGTH, TrackingCheck
from tracking.queue import QUEUE

PRODUCTION = "production"
TRACK = "track"


def check_environment(backend: Backend, name: str) -> TrackingCheck:
    """Follow a change of a hidden job to the edge of an environment, and record the check.

    Its `problem` says what went wrong. Raises Refused if the environment serves no
    tracking pages, and ProbeExists while another check runs.
    """
    environment = Environment.objects.named(name)
    live = _live(environment)
    if problem := _no_publisher():
        return TrackingCheck.objects.create(environment=name, problem=problem)
    try:
        cookie = _cookie(backend, environment, live)
    except EdgeError as error:
        problem = f"The back end does not answer ({error.code}). Run: {DOCTOR}"
        return TrackingCheck.objects.create(environment=name, problem=problem)
    host = environment.host
    via = environment.address_of(host)

    def ask(path: str) -> ViewerResponse:
        return backend.viewer.fetch(host, path, cookie=cookie, via=via)

    return check_tracking(environment=name, objects=backend.objects, ask=ask)


def check_if_it_tracks(backend: Backend, name: str) -> TrackingCheck | None:
    """Check an environment unasked: None if TRACKING_CHECKS is off, or there is nothing to check.

    That is if it serves no tracking pages, or if another check runs.
    """
    if not settings.TRACKING_CHECKS:
        return None
    try:
        return check_environment(backend, name)
    except (Refused, DispatchError):
        return None


def check_hourly() -> dict[str, Any] | None:
    """Check production, as a scheduled task; return the check, or None."""
    check = check_if_it_tracks(get_backend(), PRODUCTION)
    return as_json(check) if check else None


def as_json(check: TrackingCheck) -> dict[str, Any]:
    """Return a check for --json."""
    return {
        "environment": check.environment,
        "at": check.at.isoformat(timespec="seconds"),
        "write_ms": check.write_ms,
        "publish_ms": check.publish_ms,
        "edge_ms": check.edge_ms,
        "problem": check.problem,
    }


def last_checks() -> dict[str, TrackingCheck]:
    """Return the last check of each environment, by its name."""
    last = TrackingCheck.objects.order_by().values("environment").annotate(last=Max("pk"))
    found = TrackingCheck.objects.filter(pk__in=last.values("last"))
    return {check.environment: check for check in found}


def summary(check: TrackingCheck) -> str:
    """Return how a check went, in a few words."""
    if check.problem:
        return f"changes do not reach the tracking pages. {check.problem}"
    return f"a change reached its tracking page after {show_ms(check.total_ms)}"


def show_ms(milliseconds: int | None) -> str:
    """Return a delay as text: `1,204 ms`, or "" if it is not known."""
    return "" if milliseconds is None else f"{milliseconds:,} ms"


def _live(environment: Environment) -> Deployment:
    """Return what is live, if that has tracking pages which its edge leads to. Raises Refused."""
    live = environment.live
    if live is None:
        raise Refused(
            "nothing-live",
            f"{environment} serves nothing, and so no tracking pages.",
            f"Deploy a release: manage.py promote --to {environment}",
        )
    environment.check_host()
    environment.check_runs_function(
        "finds tracking documents there", "Check the environment that customers' links lead to."
    )
    if TRACK not in live.release.pages or not is_routed(environment, "/track/token.json"):
        raise Refused(
            "no-tracking-pages",
            f"{environment} serves no tracking pages.",
            "Check the environment that customers' links lead to.",
        )
    return live


def _cookie(backend: Backend, environment: Environment, live: Deployment) -> str:
    """Sign a preview where viewers are kept out; elsewhere nothing is read. Raises EdgeError."""
    if not (environment.gate or environment.maintenance):
        return ""
    return preview_cookie(backend.keyvalues, environment, live.release)


def _no_publisher() -> str:
    """Return why nothing can be published now, and what to do; "" if it can. Raises RedisError."""
    fault, hint = fault_of(QUEUE, queues.ages()[QUEUE])
    return f"No change is published: {fault}. {hint}"[:MAX_PROBLEM_LENGTH] if fault else ""
