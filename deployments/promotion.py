"""What operators ask for: push, promote, roll back, publish the function. Each makes a target."""

from deployments import functions
from deployments.errors import Refused
from deployments.models import Deployment, Environment, FunctionVersion, Release
from deployments.plans import Target

Kind = Deployment.Kind


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

    A release named explicitly goes with the function it last ran with. Raises Refused.
    """
    if source == to:
        raise Refused(
            "same-environment",
            f"--from and --to are both {to}.",
            "Promote from one environment to another one.",
        )
    release = release or _live_release(source)
    function = _function_of(release, [source, to]) or functions.shipped_version(actor=actor)
    return Target(to, release, function, Kind.PROMOTE, actor, reason)


def rollback_target(
    *, environment: Environment, release: Release | None = None, actor: str, reason: str = ""
) -> Target:
    """Deploy a release that was live before (default: the one before this one), never a rebuild.

    It gets the function version it ran with. Raises Refused.
    """
    live = environment.live
    past = environment.deployments.succeeded().select_related("release", "function")
    if release is None and live:
        before = past.exclude(release=live.release).last()
        release = before.release if before else None
    if live is None or release is None:
        raise Refused(
            "nothing-before",
            f"{environment} has served no other release before.",
            "See: manage.py history",
        )
    function = _function_of(release, [environment])
    if function is None:
        raise Refused(
            "never-live",
            f"Release {release} was never live in {environment}.",
            f"See: manage.py history. To deploy it all the same: "
            f"manage.py promote --release {release} --to {environment}",
        )
    return Target(environment, release, function, Kind.ROLLBACK, actor, reason)


def function_target(*, environment: Environment, actor: str, reason: str = "") -> Target:
    """Deploy the shipped function under the release that is live. Raises Refused."""
    live = environment.live
    if live is None:
        raise Refused(
            "nothing-live",
            f"{environment} serves no release yet; the first push publishes the function too.",
            f"Run: manage.py push --to {environment}",
        )
    version = functions.shipped_version(actor=actor)
    return Target(environment, live.release, version, Kind.FUNCTION, actor, reason)


def _live_release(environment: Environment) -> Release:
    live = environment.live
    if live is None:
        raise Refused(
            "nothing-to-promote",
            f"{environment} has nothing live that could be promoted.",
            f"Push first: manage.py push --to {environment}",
        )
    return live.release


def _function_of(release: Release, environments: list[Environment]) -> FunctionVersion | None:
    """Find the function a release ran with last, in the first environment that had it."""
    for environment in environments:
        past = environment.deployments.succeeded().filter(release=release)
        ran: Deployment | None = past.select_related("function").last()
        if ran:
            return ran.function
    return None
