"""What operators ask for: push, promote, roll back, publish the function. Each makes a target."""

from datetime import datetime

from deployments import functions
from deployments.canaries import check_continues, live_of
from deployments.errors import Refused
from deployments.models import Deployment, Environment, FunctionVersion, Release, Strategy
from deployments.plans import Target
from deployments.timeline import live_at

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


def served_in_order(environment: Environment) -> list[Deployment]:
    """List what an environment came to serve, as a stack: the live deployment is the last one.

    A rollback takes off what it left; a deployment of what is live adds nothing.
    """
    stack: list[Deployment] = []
    past = environment.deployments.switched().select_related("release", "function")
    for deployment in past.order_by("pk"):
        if deployment.kind == Kind.ROLLBACK:
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


def _nothing_to_roll_back(environment: Environment, release: Release | None) -> Refused:
    if release is None:
        return Refused(
            "nothing-before",
            f"{environment} has served nothing else before.",
            "See: manage.py history",
        )
    return Refused(
        "never-live",
        f"Release {release} was never live in {environment}.",
        f"See: manage.py history. To deploy it all the same: "
        f"manage.py promote --release {release} --to {environment}",
    )


def function_target(*, environment: Environment, actor: str, reason: str = "") -> Target:
    """Deploy the shipped function under the release that is live. Raises Refused."""
    if environment.strategy == Strategy.COPY:
        raise Refused(
            "no-function",
            f"{environment} is deployed to by copy: its distributions run no edge function.",
            "Publish it to an environment of the pointer strategy.",
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
