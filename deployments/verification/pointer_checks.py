"""Checks of the `pointer` strategy: routing documents, edge function."""

from collections.abc import Iterator

from deployments.deploy.pointer_plan import serves
from deployments.models import Deployment
from deployments.routing import functions
from deployments.routing.routes import as_served
from deployments.routing.sites import differing_site_keys
from deployments.verification.inspection import Drift, Inspection
from deployments.wording import plural


def routes(inspection: Inspection) -> Iterator[Drift]:
    """Do the routing documents name the live release? All faults are one line."""
    first, *more = [*_route_faults(inspection)] or [""]
    if first:
        message = f"{first} (and {len(more)} more)" if more else first
        yield Drift("route", message, inspection.repair)


def every_route(inspection: Inspection) -> Iterator[Drift]:
    """Do all routing keys, and no others, hold the routing document?"""
    for fault in _route_faults(inspection):
        yield Drift("route", fault, inspection.repair)


def canary(inspection: Inspection) -> Iterator[Drift]:
    """Do the routing documents show the canary that the history names?"""
    document = inspection.route().document
    if document is None or document.release != inspection.live.release.name:
        return  # reported by `routes`
    expected = inspection.environment.canary
    if not serves(document, expected or inspection.live):
        message = f"viewers see another canary, history says {_describe(expected)}"
        yield Drift("canary", message, inspection.repair)


def site(inspection: Inspection) -> Iterator[Drift]:
    """Does the key-value store hold the live release's site document and rules?"""
    backend, release = inspection.backend, inspection.live.release
    stored = backend.keyvalues.items() if release.site else {}
    if wrong := sorted(differing_site_keys(backend, release, stored)):
        message = f"{plural(len(wrong), 'key')} of its site are lost or wrong, first {wrong[0]}"
        yield Drift("site", message, inspection.repair)


def maintenance(inspection: Inspection) -> Iterator[Drift]:
    """Is an environment in maintenance exactly when its history says so?"""
    environment, expected = inspection.environment, inspection.environment.maintenance
    route = inspection.route()
    down = {key for key in route.values if (one := route.document_of(key)) and one.maintenance}
    if bool(down) == bool(expected) and len(down) in {0, len(route.values)}:
        return
    state = "on" if expected else "off"
    yield Drift(
        "maintenance",
        f"{', '.join(sorted(down)) or 'no host'} is in maintenance, history says {state}",
        f"manage.py maintenance {state} --environment {environment} --yes",
    )


def origin(inspection: Inspection) -> Iterator[Drift]:
    """Is every host answered through the edge function?"""
    origins = inspection.backend.origins
    if origins and any(map(origins.prefix, inspection.environment.hosts)):
        yield Drift("origin", "a host is answered without the edge function", inspection.repair)


def function(inspection: Inspection) -> Iterator[Drift]:
    """Is the live edge function the one that the release was deployed with?"""
    published = functions.live(inspection.backend, inspection.environment)
    if published is None or published.digest != inspection.live.function.digest:
        message = f"the live edge function is not {inspection.live.function}"
        yield Drift("function", message, inspection.repair)


def _route_faults(inspection: Inspection) -> Iterator[str]:
    route = inspection.route()
    for key in route.values:
        named = route.release_of(key)
        if named != inspection.live.release.name:
            yield f"{key} names {named or 'nothing'}, history says {inspection.live.release}"
    document = route.document
    if document and document != as_served(inspection.environment, document):
        yield "the routing documents have another access or canonical host than the environment"
    if len(set(route.values.values())) > 1 and all(map(route.release_of, route.values)):
        yield "the routing documents differ from each other"
    for key in sorted(route.stale):
        yield f"{key} is left over from a host that was removed"


def _describe(canary: Deployment | None) -> str:
    return f"{canary.release} for {canary.percent}% of viewers" if canary else "no canary"
