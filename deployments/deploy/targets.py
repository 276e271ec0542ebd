"""What operators ask for: push, promote, roll back, publish the function. Each makes a target."""

from datetime import datetime

from deployments.deploy.plan import Target
from deployments.errors import Refused
from deployments.live_history import live_at, live_of, served_in_order
from deployments.models import Deployment, Environment, FunctionVersion, Release
from deployments.routing import functions

Kind = Deployment.Kind
MOST_PERCENT = 99


def push_target(
    *, environment: Environment, release: Release, actor: str, reason: str = ""
) -> Target:
    """Deploy a release with the function the environment runs, or the shipped one at first."""
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
    """Deploy what another environment has live: same release, same function version.

    A release named explicitly goes with the function it last ran with in `to`, or else in
    `source`; that is also how an environment is brought back to what its history says. Raises
    Refused.
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
            "Promote from one environment to another one, or name a release with --release.",
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
    """Deploy what was live before, release and function, never a rebuild.

    Without a release it is the deployment that the live one replaced: rolling back again goes
    further back, never forth to what was left; while a canary is on it is the canary that ends. A
    release named explicitly may be any that was live there; `at` names what was live then. Raises
    Refused.
    """
    if at is not None:
        then = live_at(environment, at)
        return Target(environment, then.release, then.function, Kind.ROLLBACK, actor, reason)
    past = served_in_order(environment)
    canary = environment.canary
    if canary and past and release in {None, past[-1].release}:
        # All viewers go back to what most of them have; nothing is left but the canary.
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
        f"See: manage.py history. To deploy it all the same: "
        f"manage.py promote --release {release} --to {environment}",
    )


def function_target(*, environment: Environment, actor: str, reason: str = "") -> Target:
    """Deploy the shipped function under the release that is live. Raises Refused."""
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
    return Target(environment, live.release, version, Kind.FUNCTION, actor, reason)


def _function_of(release: Release, environment: Environment) -> FunctionVersion | None:
    """Find the function a release ran with last in an environment."""
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


def _check_possible(environment: Environment, percent: int) -> None:
    if not 1 <= percent <= MOST_PERCENT:
        raise Refused(
            "canary-share",
            f"A canary takes 1 to {MOST_PERCENT} % of the viewers, not {percent}.",
            "For all of them promote without --canary; for none: manage.py rollback",
        )
    environment.check_runs_function("can tell viewers apart", "Promote without --canary.")
