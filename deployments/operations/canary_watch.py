"""Ending a canary whose pages are worse for their viewers, as `rollback` would.

It is an operation like one that a person asked for: under the lock, with hooks and history.
"""

import logging
from datetime import timedelta

from deployments.deploy.strategies import plan_deployment
from deployments.errors import DeploymentError
from deployments.models import Deployment, Environment, Operation
from deployments.operations.proposals import DeployRequest, Proposal
from deployments.operations.run import ask
from deployments.timings.comparing import find_worse
from deployments.timings.counting import hour_of
from edge.backends import get_backend
from edge.database_clock import database_now
from edge.errors import EdgeError

log = logging.getLogger(__name__)
ACTOR = "canary watch"
# How long it waits for an operation of its own before it asks for another.
PATIENCE = timedelta(minutes=10)


def watch() -> dict[str, str]:
    """Ask to end each watched canary that is worse; return the reasons by environment."""
    ended = {}
    for environment in Environment.objects.filter(canary_margin__isnull=False):
        if why := why_end(environment):
            try:
                if _end(environment, why):
                    ended[environment.name] = why
            except (DeploymentError, EdgeError) as error:
                log.warning("The canary of %s is worse, but goes on: %s", environment, error)
    return ended


def why_end(environment: Environment) -> str | None:
    """Return in words why an environment's canary should end, if it has one that should."""
    canary, live = environment.canary, environment.live
    if canary is None or live is None or environment.canary_margin is None:
        return None
    return find_worse(
        environment,
        canary=canary.release,
        live=live.release,
        since=hour_of(canary.at),
        margin=environment.canary_margin,
    )


def _end(environment: Environment, why: str) -> Operation | None:
    """Ask for a rollback, unless that was done just now. Raises DeploymentError, EdgeError."""
    since = database_now() - PATIENCE
    if environment.operations.filter(actor=ACTOR, asked_at__gte=since).exists():
        return None
    request = DeployRequest(Deployment.Kind.ROLLBACK, environment)
    target = request.target(actor=ACTOR, reason=why)
    proposal = Proposal(plan_deployment(get_backend(), target))
    return ask(environment=environment, proposal=proposal, actor=ACTOR, reason=why)
