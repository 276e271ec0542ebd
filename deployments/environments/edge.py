"""What the edge holds for an environment besides its releases."""

from collections.abc import Iterable

from deployments.errors import ChangedMeanwhile
from deployments.models import Environment
from deployments.routing.branch_previews import settle
from deployments.routing.routes import read_route, route_to, write_route
from deployments.routing.rules import write_rules
from edge.protocols import Backend


def bring_in_line(backend: Backend, environment: Environment, *, gone: Iterable[str] = ()) -> int:
    """Write what an environment's fields say where the edge has something else; return how much.

    `gone` are hosts it no longer has. Raises ChangedMeanwhile, EdgeError.
    """
    return (
        write_rules(backend, environment)
        + _write_routes(backend, environment)
        + _point(backend, environment, gone)
        + len(settle(backend))  # previews of branches have its access
    )


def _write_routes(backend: Backend, environment: Environment) -> int:
    """Write the routing documents of all hosts; nothing before the first deployment."""
    route = read_route(backend.keyvalues, environment)
    if route.document is None or not environment.runs_function:
        return 0
    wanted = route_to(environment, route.document)
    if wanted == route and not route.stale:
        return 0
    write_route(backend.keyvalues, environment, seen=route, wanted=wanted)
    if read_route(backend.keyvalues, environment) != wanted:
        raise ChangedMeanwhile(
            "route-changed", f"Another process overwrote the routing documents of {environment}."
        )
    return len(wanted.values)


def _point(backend: Backend, environment: Environment, gone: Iterable[str]) -> int:
    """By copy: serve new hosts from the copies, and hosts that are gone no longer."""
    origins = backend.origins
    if origins is None or environment.runs_function or environment.live is None:
        return 0
    prefix = environment.copy_prefix
    new = [host for host in environment.hosts if origins.prefix(host) != prefix]
    old = [host for host in gone if origins.prefix(host) == prefix]
    if new:
        origins.point(new, prefix)
    if old:
        origins.point(old, "")
    return len(new) + len(old)
