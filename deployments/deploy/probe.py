"""Probing: does the edge answer with the expected release?"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings

from deployments.invalidation.fold import concerns
from deployments.models import Environment, Release
from deployments.releases.smoke_checks import SmokeCheck, fault_of
from deployments.routing import previews
from edge.errors import BackendUnavailable, EdgeError
from edge.protocols import KeyValueStore, Viewer, ViewerResponse

RELEASE_HEADER = "x-amz-meta-release"
CONTENT_HEADER = "x-amz-meta-sha256"
OK = 200
# A key-value update or an invalidation takes seconds to reach every edge, and only the answers show
# when it has.
PAUSE_SECONDS = 0.5
PREVIEW_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a page; `is_silence` if there was no answer at all."""

    text: str
    is_silence: bool = False


def probed_pages(environment: Environment, release: Release) -> dict[str, dict[str, str]]:
    """Return the pages of a release that a distribution of the environment routes, by surface.

    All pages if no distribution is known. Ordered by URL, since databases do not keep an order.
    """
    return {
        surface: page
        for surface, page in sorted(release.pages.items(), key=lambda item: item[1]["url"])
        if is_routed(environment, page["url"])
    }


def is_routed(environment: Environment, path: str) -> bool:
    """Whether a distribution of the environment routes a path; true if none is known."""
    every = [list(one.paths) for one in environment.distributions.all()] or [[]]
    return any(concerns(patterns, path.partition("?")[0]) for patterns in every)


@dataclass(frozen=True, slots=True)
class Probe:
    """What to request, and as which viewer: every page of a release, at one host.

    The host defaults to the environment's first, at its distribution, so that no DNS is needed
    yet; any other is looked up as viewers do. `cookie` is that of a signed preview. `others` are
    releases that may answer instead, since the viewer may get a canary. `checks` are the smoke
    checks of the release.
    """

    environment: Environment
    release: Release
    host: str = ""
    cookie: str = ""
    others: frozenset[str] = frozenset()
    checks: tuple[SmokeCheck, ...] = ()

    def faults(self, viewer: Viewer) -> dict[str, "_Fault"]:
        """Request each page and smoke check once; return what is wrong, by surface or check."""
        pages = probed_pages(self.environment, self.release)
        found = {
            surface: self._ask(viewer, page["url"], partial(self._page_fault, page))
            for surface, page in pages.items()
        }
        for number, check in enumerate(self.checks, 1):
            if is_routed(self.environment, check.path):
                found[f"check {number}"] = self._ask(viewer, check.path, partial(fault_of, check))
        return {name: fault for name, fault in found.items() if fault}

    def _ask(
        self, viewer: Viewer, path: str, judge: Callable[[ViewerResponse], str]
    ) -> "_Fault | None":
        try:
            host = self.host or self.environment.host
            via = "" if self.host else self.environment.address_of(host)
            text = judge(viewer.fetch(host, path, cookie=self.cookie, via=via))
        except EdgeError as error:
            reason = error.message.rstrip(".")
            return _Fault(f"{path} did not answer: {reason}", is_silence=True)
        return _Fault(text) if text else None

    def _page_fault(self, page: dict[str, str], response: ViewerResponse) -> str:
        if response.status != OK:
            return f"{page['url']} answered {response.status}, expected {OK}"
        wrong = self._content_fault(response.headers, page)
        return f"{page['url']} answered with {wrong}" if wrong else ""

    def _content_fault(self, headers: Mapping[str, str], page: dict[str, str]) -> str:
        """Return what a page is instead of the release's, by its headers, or "".

        A copied page that did not change names the release that brought it, so its content is
        compared instead.
        """
        came_from = headers.get(RELEASE_HEADER, "no release")
        if not self.environment.runs_function:
            is_right = headers.get(CONTENT_HEADER) == page["sha256"]
            return "" if is_right else f"other content ({came_from})"
        is_right = came_from in {self.release.name, *self.others}
        return "" if is_right else f"{came_from}, expected {self.release}"


def preview_cookie(store: KeyValueStore, environment: Environment, release: Release) -> str:
    """Sign a preview that lasts as long as a probe may take. Raises Refused."""
    ticket = previews.ticket(store, environment, release, lifetime=PREVIEW_LIFETIME)
    return previews.cookie(ticket)


def probe_once(viewer: Viewer, probe: Probe) -> dict[str, str]:
    """Probe once; return what is wrong, by surface."""
    return {surface: fault.text for surface, fault in probe.faults(viewer).items()}


def wait_until_answered(
    viewer: Viewer, probe: Probe, *, sleep: Callable[[float], None] = time.sleep
) -> dict[str, str]:
    """Probe until every page answers with the release or EDGE_PROBE_SECONDS have passed.

    Returns what is still wrong, by surface; empty if nothing is. Raises BackendUnavailable if the
    only fault is silence, which says nothing about the release.
    """
    deadline = time.monotonic() + settings.EDGE_PROBE_SECONDS
    while True:
        wrong = probe.faults(viewer)
        if not wrong or time.monotonic() >= deadline:
            break
        sleep(PAUSE_SECONDS)
    texts = {surface: fault.text for surface, fault in wrong.items()}
    if wrong and all(fault.is_silence for fault in wrong.values()):
        raise BackendUnavailable(f"The edge cannot be probed: {'; '.join(texts.values())}")
    return texts
