"""Probing: does the edge answer with the release it should?"""

import time
from collections.abc import Callable

from django.conf import settings

from deployments.models import Environment, Release
from edge.errors import EdgeError
from edge.protocols import Viewer

RELEASE_HEADER = "x-amz-meta-release"
OK = 200
# A key-value update takes seconds to reach every edge, with nothing to wait on but the answer.
PAUSE_SECONDS = 0.5


def answers(viewer: Viewer, environment: Environment, release: Release) -> dict[str, str]:
    """Ask for each of the release's pages once; tell what is wrong, by surface."""
    wrong = {}
    for surface, page in release.pages.items():
        fault = _fault(viewer, environment.hosts[0], page["url"], release.name)
        if fault:
            wrong[surface] = f"{page['url']} {fault}"
    return wrong


def wait_until_answered(
    viewer: Viewer,
    environment: Environment,
    release: Release,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Probe until every page answers with the release or EDGE_PROBE_SECONDS are over.

    Returns what was still wrong then, by surface; empty when all is well.
    """
    deadline = time.monotonic() + settings.EDGE_PROBE_SECONDS
    while True:
        wrong = answers(viewer, environment, release)
        if not wrong or time.monotonic() >= deadline:
            return wrong
        sleep(PAUSE_SECONDS)


def _fault(viewer: Viewer, host: str, path: str, release: str) -> str:
    try:
        response = viewer.fetch(host, path)
    except EdgeError as error:
        return f"did not answer: {error.message}"
    if response.status != OK:
        return f"answered {response.status}, expected {OK}"
    seen = response.headers.get(RELEASE_HEADER, "no release")
    return "" if seen == release else f"answered with {seen}, expected {release}"
