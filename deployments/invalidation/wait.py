"""Waiting until the edges have dropped what was invalidated."""

import time
from collections.abc import Callable

from django.conf import settings

from deployments.errors import PartlyChanged
from deployments.models import Environment
from deployments.wording import plural
from edge.protocols import Backend

PAUSE_SECONDS = 5.0


def wait_until_dropped(
    backend: Backend,
    environment: Environment,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until no invalidation of an environment's distributions is in progress.

    Returns the seconds that took. Raises PartlyChanged after EDGE_INVALIDATION_SECONDS, EdgeError.
    """
    began, shown = time.monotonic(), -1
    while left := _in_progress(backend, environment):
        if time.monotonic() - began >= settings.EDGE_INVALIDATION_SECONDS:
            raise PartlyChanged(
                "invalidation-slow",
                f"{plural(left, 'invalidated path')} of {environment} are still in progress after "
                f"{settings.EDGE_INVALIDATION_SECONDS:.0f} s. Everything else is done.",
                "The edges drop them without further action. To wait longer, run the same command "
                "again.",
            )
        if left != shown:
            say(f"Wait for the edges to drop {plural(left, 'path')}")
            shown = left
        sleep(PAUSE_SECONDS)
    return round(time.monotonic() - began, 1)


def _in_progress(backend: Backend, environment: Environment) -> int:
    caches = environment.caches(backend)
    return sum(len(backend.distribution.in_progress(one)) for one in caches)
