"""Removing environments: viewers get nothing from them, and their history is kept."""

from deployments.context import Caller
from deployments.errors import Refused
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Environment
from deployments.routing.branch_previews import settle
from deployments.routing.keys import update_keys
from deployments.routing.routes import read_route
from edge.database_clock import database_now
from edge.protocols import Backend
from edge.serving_rules import is_rule_of


def remove_environment(
    backend: Backend, name: str, *, typed: str, caller: Caller, dry_run: bool = False
) -> tuple[Environment, int]:
    """Remove an environment, or finish that; return it, and how many entries the edge lost.

    `typed` must be its name. Its deployments and their releases are kept: `prune` decides about
    releases that no environment needs. Raises Refused, ChangedMeanwhile (`lock-held`), EdgeError.
    """
    environment = Environment.every.named(name)
    live = environment.live
    caller.say(f"{environment} serves {live.release if live else 'nothing'} at "
               f"{', '.join(environment.hosts) or 'no host'}")  # fmt: skip
    if dry_run:
        return environment, 0
    if typed != environment.name:
        raise Refused(
            "name-not-confirmed",
            f"Expected the name '{environment}' again, found '{typed}'. Nothing was changed.",
            f"Type it at the prompt, or add: --confirm {environment}",
        )
    with deploy_lock(
        environment=environment, actor=caller.actor, reason="Removal", patience=caller.patience
    ):
        environment.removed_at = environment.removed_at or database_now()
        environment.save(update_fields=["removed_at"])
        environment.branch_previews.all().delete()
        caller.reached(f"{environment} is removed, but the edge may still answer.")
        return environment, _clear(backend, environment)


def _clear(backend: Backend, environment: Environment) -> int:
    """Remove what the edge holds for an environment, so that its hosts answer nothing."""
    route = read_route(backend.keyvalues, environment)
    routed = {key for key, value in route.values.items() if value} | route.stale
    rules = {key for key in backend.keyvalues.items() if is_rule_of(key, environment.name)}
    gone = sorted(routed | rules)
    if gone:
        update_keys(backend.keyvalues, deletes=gone)
    pointed = backend.origins and [
        host for host in environment.hosts if backend.origins.prefix(host)
    ]
    if pointed and backend.origins:
        backend.origins.point(pointed, "")
    return len(gone) + len(pointed or ()) + len(settle(backend))
