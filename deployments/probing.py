"""Probing: does the edge answer with the release it should?"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from deployments.invalidation import concerns
from deployments.models import Environment, Release, Strategy
from edge.errors import BackendUnavailable, EdgeError
from edge.protocols import Viewer

RELEASE_HEADER = "x-amz-meta-release"
CONTENT_HEADER = "x-amz-meta-sha256"
OK = 200
# A key-value update or an invalidation takes seconds to reach every edge, with nothing to wait on
# but the answer.
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a page; `is_silence` where nobody answered at all."""

    text: str
    is_silence: bool = False


def probed_pages(environment: Environment, release: Release) -> dict[str, dict[str, str]]:
    """Choose the pages of a release that some distribution of the environment routes.

    All of them where no distribution is known. By URL, because databases keep no order of names.
    """
    every: list[list[str]] = list(environment.caches.values()) or [[]]
    return {
        surface: page
        for surface, page in sorted(release.pages.items(), key=lambda item: item[1]["url"])
        if any(concerns(patterns, page["url"]) for patterns in every)
    }


def answers(
    viewer: Viewer, environment: Environment, release: Release, *, host: str = ""
) -> dict[str, str]:
    """Ask for each of the release's pages once; tell what is wrong, by surface.

    The environment's first host is asked unless another one is named.
    """
    host = host or environment.hosts[0]
    faults = _faults(viewer, environment, release, host)
    return {surface: fault.text for surface, fault in faults.items()}


def wait_until_answered(
    viewer: Viewer,
    environment: Environment,
    release: Release,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Probe until every page answers with the release or EDGE_PROBE_SECONDS are over.

    Returns what was still wrong then, by surface; empty when all is well. Raises
    BackendUnavailable when all that is wrong is that nobody answered: that tells nothing of the
    release.
    """
    deadline = time.monotonic() + settings.EDGE_PROBE_SECONDS
    while True:
        wrong = _faults(viewer, environment, release, environment.hosts[0])
        if not wrong or time.monotonic() >= deadline:
            break
        sleep(PAUSE_SECONDS)
    texts = {surface: fault.text for surface, fault in wrong.items()}
    if wrong and all(fault.is_silence for fault in wrong.values()):
        raise BackendUnavailable(f"The edge cannot be probed: {'; '.join(texts.values())}")
    return texts


def _faults(
    viewer: Viewer, environment: Environment, release: Release, host: str
) -> dict[str, _Fault]:
    found = {}
    for surface, page in probed_pages(environment, release).items():
        header, expected = _expected(environment, release, page)
        fault = _fault(viewer, host, page["url"], header, expected)
        if fault:
            found[surface] = fault
    return found


def _expected(environment: Environment, release: Release, page: dict[str, str]) -> tuple[str, str]:
    """Tell by which header a page shows that it is the release's.

    A copied page that did not change was not copied again: it names the release that brought it,
    so its content is what is compared.
    """
    if environment.strategy == Strategy.COPY:
        return CONTENT_HEADER, page["sha256"]
    return RELEASE_HEADER, release.name


def _fault(viewer: Viewer, host: str, path: str, header: str, expected: str) -> _Fault | None:
    try:
        response = viewer.fetch(host, path)
    except EdgeError as error:
        return _Fault(f"{path} did not answer: {error.message}", is_silence=True)
    if response.status != OK:
        return _Fault(f"{path} answered {response.status}, expected {OK}")
    seen = response.headers.get(header)
    if seen == expected:
        return None
    if header == CONTENT_HEADER:
        came_from = response.headers.get(RELEASE_HEADER, "no release")
        return _Fault(f"{path} answered with other content ({came_from})")
    return _Fault(f"{path} answered with {seen or 'no release'}, expected {expected}")
