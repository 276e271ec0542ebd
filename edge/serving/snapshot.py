"""Keeps a snapshot of the back end in memory, so that requests need no query.

The snapshot is refreshed at most every quarter of a second, by the first request that finds it too
old; other threads use the one they have. While the back end does not answer, the last one is kept.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping

from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name
from edge.protocols import ReadSnapshot, Snapshot

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 0.25
RETRY_SECONDS = 1.0  # after a failure, so that a slow database does not delay every request


def functions_by_host(keyvalues: Mapping[str, str], functions: Mapping[str, str]) -> dict[str, str]:
    """Return the source of each host's function, by the environment of its routing document."""
    found = {}
    for key, value in keyvalues.items():
        kind, _, host = key.partition(":")
        source = functions.get(function_name(environment_of(value))) if kind == "host" else None
        if source:
            found[host] = source
    return found


def environment_of(document: str) -> str:
    """Return the environment of a routing document, or an empty text if it is malformed."""
    try:
        return str(json.loads(document)["e"])
    except (ValueError, KeyError, TypeError):
        return ""  # the function answers this host with 503


class SnapshotKeeper:
    """Keeps the newest snapshot of this process."""

    def __init__(
        self,
        *,
        read: ReadSnapshot,
        changed: Callable[[Snapshot], None],
        refresh_seconds: float = REFRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`changed` is called with each newer snapshot."""
        self._read = read
        self._changed = changed
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._snapshot = Snapshot()
        self._due = 0.0
        self._lock = threading.Lock()

    def current(self) -> Snapshot:
        """Return the snapshot, refreshed if it is due."""
        if self._clock() < self._due:
            return self._snapshot
        # Requests wait for the first snapshot only.
        if self._lock.acquire(blocking=self._snapshot.published < 0):
            try:
                if self._clock() >= self._due:
                    self._refresh()
            finally:
                self._lock.release()
        return self._snapshot

    def _refresh(self) -> None:
        wait = self._refresh_seconds
        try:
            newer = self._read(self._snapshot)
        except BackendUnavailable as error:
            logger.warning("The edge keeps its last snapshot: %s", error)
            wait = max(wait, RETRY_SECONDS)
        else:
            if newer is not self._snapshot:
                self._changed(newer)
                self._snapshot = newer
        self._due = self._clock() + wait
