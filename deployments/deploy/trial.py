"""Trying out the shipped edge function before it is published to an environment."""

from deployments.deploy.plan import Target, serve_command
from deployments.errors import Refused
from deployments.routing import functions
from deployments.routing.routes import read_route
from edge.protocols import Backend, FunctionTest
from edge.routing import routing_keys


def try_out(backend: Backend, target: Target) -> list[FunctionTest]:
    """Run the function of a target in the development stage, one request per page.

    Raises Refused if it does not lead to the release that the history says is live, or if that
    cannot be judged because the routing document names another one.
    """
    _check_routed(backend, target)
    return functions.try_out(backend, target.environment, target.function, target.release)


def _check_routed(backend: Backend, target: Target) -> None:
    """Refuse if the routing document that the trial reads does not name the target's release."""
    environment, release = target.environment, target.release
    _, key, *_ = routing_keys(environment.name, environment.hosts)
    named = read_route(backend.keyvalues, environment).release_of(key)
    if named == release.name:
        return
    unfinished = environment.deployments.unfinished()
    interrupted = unfinished.filter(release__name=named).last()
    cause = f" Deployment {interrupted.pk} was interrupted." if interrupted else ""
    raise Refused(
        "route-differs",
        f"The function cannot be tried out, because {key} names {named or 'no release'} and the "
        f"history says {release}.{cause}",
        f"Run: {serve_command(named if interrupted else release, environment)}. Then run "
        "push_functions again.",
    )
