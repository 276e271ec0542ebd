"""Plans of the `pointer` strategy: the routing documents to write, and the edge function."""

import secrets
from dataclasses import dataclass, replace

from deployments.deploy.plan import Target
from deployments.errors import Refused
from deployments.models import Deployment, Environment, Release
from deployments.routing import functions
from deployments.routing.routes import Route, as_served, read_route, route_to
from deployments.routing.sites import check_function_reads
from edge.errors import LimitExceeded
from edge.protocols import Backend, PublishedFunction
from edge.routing import PREVIEW_KEY, Canary, RoutingDocument


@dataclass(frozen=True, slots=True)
class PointerPlan:
    """What moving the pointer would change: routing documents, and perhaps the function.

    `origin` is the prefix that the hosts are answered from after a deployment by copy, or "".
    `salt` selects the viewers of a canary that begins.
    """

    target: Target
    route: Route
    function: PublishedFunction | None
    origin: str = ""
    salt: str = ""

    @property
    def live(self) -> str:
        """The name of the release in the routing document, or ""."""
        document = self.route.document
        return document.release if document else ""

    @property
    def function_changes(self) -> bool:
        """Whether the environment runs another edge function or none."""
        return self.function is None or self.function.digest != self.target.function.digest

    @property
    def is_done(self) -> bool:
        """Whether the environment already serves the target."""
        document = self.route.document
        settled = self.route.agrees and not (self.function_changes or self.origin)
        is_right = document and document == as_served(self.target.environment, document)
        return bool(
            settled and is_right and self.route.has_secret and serves(document, self.target)
        )

    @property
    def wanted(self) -> Route:
        """What the routing keys should hold; maintenance stays on, a canary ends or continues."""
        target = self.target
        now = self.route.document or RoutingDocument(target.environment.name, "")
        if target.percent is not None:
            canary = self._canary(now.canary, target.release, target.percent)
            return route_to(target.environment, replace(now, canary=canary))
        release = target.release.name
        previous = now.previous if now.release == release else now.release
        site = target.release.site
        document = replace(now, release=release, previous=previous, canary=None, site=site)
        return route_to(target.environment, document)

    def _canary(self, now: Canary | None, release: Release, percent: int) -> Canary:
        """Return the running canary with a new share, or a new one with a new salt."""
        if now and now.release == release.name:
            return replace(now, percent=percent)
        return Canary(release.name, percent, self.salt, has_site=bool(release.site))

    def lines(self) -> list[str]:
        """Return what happens to the edge function, and to a canary."""
        change = "changes to" if self.function_changes else "stays"
        lines = [f"Edge function {change} {self.target.function}"]
        canary = self.route.document and self.route.document.canary
        if canary:
            now = f"{canary.release}, shown to {canary.percent}% of viewers"
            ends = self.target.percent is None
            lines.append(f"Canary {'ends' if ends else 'changes'}: {now}")
        return lines


def serves(document: RoutingDocument | None, target: Target | Deployment) -> bool:
    """Whether a routing document gives viewers what a deployment names."""
    if document is None:
        return False
    canary, release = document.canary, target.release.name
    if target.percent is None:
        is_right = (document.release, document.site) == (release, target.release.site)
        return is_right and canary is None
    return canary is not None and (canary.release, canary.percent) == (release, target.percent)


def _check_limits(backend: Backend, plan: PointerPlan) -> None:
    """Refuse an update beyond the limits of the key-value store before anything is written."""
    # The first update of a store writes the preview secret too.
    puts = {PREVIEW_KEY: "", **{key: value or "" for key, value in plan.wanted.values.items()}}
    try:
        backend.limits.check_update(puts=puts, deletes=sorted(plan.route.stale))
    except LimitExceeded as error:
        raise Refused(error.code, error.message, error.hint) from error


def plan_pointer(backend: Backend, target: Target) -> PointerPlan:
    """Return what would change. Raises Refused for an update that the store would not take."""
    check_function_reads(target.function.source, target.release, target.environment)
    plan = PointerPlan(
        target=target,
        route=read_route(backend.keyvalues, target.environment),
        function=functions.live(backend, target.environment),
        origin=origin_of(backend, target.environment),
        salt=secrets.token_hex(4),
    )
    _check_limits(backend, plan)
    return plan


def origin_of(backend: Backend, environment: Environment) -> str:
    """Return the prefix that a host is answered from, or ""."""
    if backend.origins is None:
        return ""
    return next(filter(None, map(backend.origins.prefix, environment.hosts)), "")
