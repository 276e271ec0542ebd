"""Describing a deployment before it is done: what an environment shall serve, and what changes.

Nothing here writes, so a dry run is a plan that nobody carries out.
"""

from dataclasses import dataclass, replace

from deployments import functions
from deployments.artifacts import MANIFEST
from deployments.errors import Refused
from deployments.models import Deployment, Environment, FunctionVersion, Release
from deployments.routes import Route, read_route, route_to
from edge.protocols import Backend, PublishedFunction
from edge.routing import RoutingDocument


@dataclass(frozen=True, slots=True)
class Target:
    """What an environment shall serve, and on whose word.

    `chosen_from` is the live release the choice was made from, where it was made for the operator.
    """

    environment: Environment
    release: Release
    function: FunctionVersion
    kind: Deployment.Kind
    actor: str
    reason: str
    chosen_from: Release | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What deploying a target would change. Reads only."""

    target: Target
    route: Route
    function: PublishedFunction | None

    @property
    def live(self) -> str:
        """Name of the release the environment serves now, or nothing."""
        document = self.route.document
        return document.release if document else ""

    @property
    def function_changes(self) -> bool:
        """Whether the environment runs another edge function, or none."""
        return self.function is None or self.function.digest != self.target.function.digest

    @property
    def is_done(self) -> bool:
        """Whether the environment serves the target already."""
        return (
            self.live == self.target.release.name
            and self.route.agrees
            and not self.function_changes
        )

    @property
    def wanted(self) -> Route:
        """What the routing keys shall hold; maintenance stays on, a canary ends."""
        target = self.target
        now = self.route.document or RoutingDocument(target.environment.name, "")
        release = target.release.name
        previous = now.previous if now.release == release else now.release
        document = replace(now, release=release, previous=previous, canary=None)
        return route_to(target.environment, document)


def plan_deployment(backend: Backend, target: Target) -> Plan:
    """Check that a target can be deployed and describe what would change.

    The work does not grow with the release: its manifest and its surfaces' pages are looked at.
    (That every file is there by size was established when the manifest was written, and whatever
    removes objects removes the manifest first.) Raises Refused.
    """
    _check_objects(backend, target.release)
    return Plan(
        target=target,
        route=read_route(backend.keyvalues, target.environment),
        function=functions.live(backend, target.environment),
    )


def _check_objects(backend: Backend, release: Release) -> None:
    expected = {MANIFEST: (None, release.digest)}
    expected |= {page["path"]: (page["size"], page["sha256"]) for page in release.pages.values()}
    for path, (size, digest) in expected.items():
        info = backend.objects.head(release.key(path))
        if info is None or size not in {None, info.size} or info.metadata.get("sha256") != digest:
            raise Refused(
                "objects-gone",
                f"Release {release} is no longer whole: {release.key(path)} is "
                f"{'missing' if info is None else 'not what was pushed'}.",
                "Push its content again, or choose another one: manage.py releases",
            )
