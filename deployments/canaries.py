"""Canaries: a release that a share of the viewers see, growing until all do or none.

The edge function chooses the viewers by a fixed number of their address, so whoever saw the canary
at 5 % still sees it at 25 % (edge/functions/viewer_request.js). The edge function itself cannot be
tried on a share: a canary runs behind the one that is live, and the promotion brings its own.
"""

from deployments.errors import Refused
from deployments.models import Deployment, Environment, Release, Strategy
from deployments.plans import Target

MOST_PERCENT = 99


def canary_target(
    *,
    source: Environment,
    to: Environment,
    percent: int,
    release: Release | None = None,
    actor: str,
    reason: str = "",
) -> Target:
    """Show what another environment has live, or a named release, to a share of the viewers.

    Raises Refused.
    """
    _check_possible(to, percent)
    live = to.live
    if live is None:
        raise Refused(
            "nothing-live",
            f"{to} serves no release yet, so there is nothing the other viewers would see.",
            f"Promote without --canary first: manage.py promote --to {to}",
        )
    wanted = release or live_of(source).release
    if wanted == live.release:
        raise Refused(
            "canary-is-live",
            f"All viewers of {to} see {wanted} already.",
            f"Push something newer to {source} first.",
        )
    check_continues(to, wanted)
    kind = Deployment.Kind.CANARY
    return Target(to, wanted, live.function, kind, actor, reason, live.release, percent)


def check_continues(environment: Environment, release: Release | None) -> None:
    """Refuse to replace a canary that is on by another release without a word. Raises Refused.

    None stands for a release that is not made yet.
    """
    canary = environment.canary
    if canary and canary.release != release:
        raise Refused(
            "other-canary",
            f"{environment} shows {canary.release} to {canary.percent} % of its viewers; "
            f"this would deploy {release or 'a new release'} instead.",
            f"Finish it with: manage.py promote --release {canary.release} --to {environment}, or "
            f"end it with: manage.py rollback --environment {environment}",
        )


def live_of(source: Environment) -> Deployment:
    """Tell what an environment has to give to another one. Raises Refused."""
    live = source.live
    if live is None:
        raise Refused(
            "nothing-to-promote",
            f"{source} has nothing live that could be promoted.",
            f"Push first: manage.py push --to {source}",
        )
    return live


def _check_possible(environment: Environment, percent: int) -> None:
    if not 1 <= percent <= MOST_PERCENT:
        raise Refused(
            "canary-share",
            f"A canary takes 1 to {MOST_PERCENT} % of the viewers, not {percent}.",
            "For all of them promote without --canary; for none: manage.py rollback",
        )
    if environment.strategy == Strategy.COPY:
        raise Refused(
            "no-function",
            f"{environment} is deployed to by copy: no edge function could tell viewers apart.",
            "Promote without --canary.",
        )
