"""Targets of the things operators do: push, promote, roll back, publish the function, canary."""

from dataclasses import replace
from datetime import datetime

from deployments.deploy.plan import Target
from deployments.errors import Refused
from deployments.live_history import live_at, live_of, served_in_order
from deployments.models import Deployment, Environment, FunctionVersion, Release
from deployments.routing import functions
from edge.access import is_checked_by

Kind = Deployment.Kind
MOST_PERCENT = 99


def push_target(
    *, environment: Environment, release: Release, actor: str, reason: str = ""
) -> Target:
    """Return a release with the function the environment runs, or with the shipped one at first."""
    live = environment.live
    function = live.function if live else functions.shipped_version(actor=actor)
    return Target(environment, release, function, Kind.PUSH, actor, reason)


def promote_target(
    *,
    source: Environment,
    to: Environment,
    release: Release | None = None,
    actor: str,
    reason: str = "",
) -> Target:
    """Return what another environment has live: the same release and function version.

    A release named explicitly gets the function it last ran with in `to`, or else in `source`,
    so that an environment can be brought back to what its history says. Raises Refused.
    """
    if release is not None:
        function = (
            _function_of(release, to)
            or _function_of(release, source)
            or (to.live.function if to.live else functions.shipped_version(actor=actor))
        )
        return Target(to, release, function, Kind.PROMOTE, actor, reason)
    if source == to:
        raise Refused(
            "same-environment",
            f"--from and --to are both {to}.",
            "Promote from one environment to another, or name a release with --release.",
        )
    live = live_of(source)
    check_continues(to, live.release)
    return Target(to, live.release, live.function, Kind.PROMOTE, actor, reason)


def rollback_target(
    *,
    environment: Environment,
    release: Release | None = None,
    at: datetime | None = None,
    actor: str,
    reason: str = "",
) -> Target:
    """Return what was live before, release and function, never a rebuild.

    Without a release this goes one step back in `served_in_order`: rolling back again goes further
    back, never forward to what was left. While a canary runs, it ends the canary. A release named
    explicitly may be any that was live there; `at` selects what was live then. Raises Refused.
    """
    if at is not None:
        then = live_at(environment, at)
        return Target(environment, then.release, then.function, Kind.ROLLBACK, actor, reason)
    past = served_in_order(environment)
    canary = environment.canary
    if canary and past and release in {None, past[-1].release}:
        # All viewers return to the live release; only the canary ends.
        now = past[-1]
        return Target(environment, now.release, now.function, Kind.ROLLBACK, actor, reason)
    earlier = [d for d in past[:-1] if release is None or d.release == release]
    found = earlier[-1] if earlier else release and _last_deployment(release, environment)
    if not found:
        raise _nothing_to_roll_back(environment, release)
    chosen_from = past[-1].release if release is None else None
    return Target(
        environment, found.release, found.function, Kind.ROLLBACK, actor, reason, chosen_from
    )


def _nothing_to_roll_back(environment: Environment, release: Release | None) -> Refused:
    if release is None:
        return Refused(
            "nothing-before",
            f"There is nothing earlier in {environment} to roll back to.",
            f"Name a release that was live: manage.py history --environment {environment}",
        )
    return Refused(
        "never-live",
        f"Release {release} was never live in {environment}.",
        f"See: manage.py history. To deploy it anyway: "
        f"manage.py promote --release {release} --to {environment}",
    )


def function_target(*, environment: Environment, actor: str, reason: str = "") -> Target:
    """Return the live release with the shipped function. Raises Refused."""
    environment.check_runs_function(
        "answers its viewers", "Publish it to an environment of the pointer strategy."
    )
    live = environment.live
    if live is None:
        raise Refused(
            "nothing-live",
            f"{environment} serves no release yet; the first push publishes the function too.",
            f"Run: manage.py push --to {environment}",
        )
    version = functions.shipped_version(actor=actor)
    return Target(environment, live.release, version, Kind.FUNCTION, actor, reason, live.release)


def with_able_function(target: Target) -> Target:
    """Return a target whose function protects pages and redirects hosts, if that is needed.

    A function of earlier deployments may do neither; then the live one stays.
    """
    environment = target.environment
    needed = environment.runs_function and (environment.gate or environment.canonical)
    if not needed or is_checked_by(target.function.source):
        return target
    live = environment.live
    is_able = live is not None and is_checked_by(live.function.source)
    able = live.function if live and is_able else functions.shipped_version(actor=target.actor)
    return replace(target, function=able)


def _function_of(release: Release, environment: Environment) -> FunctionVersion | None:
    """Return the function a release last ran with in an environment."""
    ran = _last_deployment(release, environment)
    return ran.function if ran else None


def _last_deployment(release: Release, environment: Environment) -> Deployment | None:
    past = environment.deployments.switched().filter(release=release)
    last: Deployment | None = past.select_related("release", "function").last()
    return last


def canary_target(
    *,
    source: Environment,
    to: Environment,
    percent: int,
    release: Release | None = None,
    actor: str,
    reason: str = "",
) -> Target:
    """Return a canary of a release, by default the live one of `source`. Raises Refused."""
    _check_possible(to, percent)
    live = to.live
    if live is None:
        raise Refused(
            "nothing-live",
            f"{to} serves no release yet, so the other viewers would see nothing.",
            f"Promote without --canary first: manage.py promote --to {to}",
        )
    wanted = release or live_of(source).release
    if wanted == live.release:
        raise Refused(
            "canary-is-live",
            f"All viewers of {to} already see {wanted}.",
            f"Push something newer to {source} first.",
        )
    check_continues(to, wanted)
    kind = Deployment.Kind.CANARY
    return Target(to, wanted, live.function, kind, actor, reason, live.release, percent)


def check_continues(environment: Environment, release: Release | None) -> None:
    """Refuse to replace a running canary with another release. Raises Refused.

    None means a release that does not exist yet.
    """
    canary = environment.canary
    if canary and canary.release != release:
        raise Refused(
            "other-canary",
            f"{environment} shows {canary.release} to {canary.percent}% of viewers; "
            f"this would deploy {release or 'a new release'} instead.",
            f"Finish it: manage.py promote --release {canary.release} --to {environment}, or "
            f"end it: manage.py rollback --environment {environment}",
        )


def _check_possible(environment: Environment, percent: int) -> None:
    if not 1 <= percent <= MOST_PERCENT:
        raise Refused(
            "canary-share",
            f"A canary takes 1 to {MOST_PERCENT}% of viewers, not {percent}.",
            "For all viewers, promote without --canary; for none, run: manage.py rollback",
        )
    environment.check_runs_function("can select viewers", "Promote without --canary.")
