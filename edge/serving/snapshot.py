"""What a local edge knows of the back end, so that a request costs no query.

A snapshot is read again at most every quarter of a second, by the request that finds it old; the
other threads go on with the one they have. While the back end does not answer, the last one stays.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name, function_source

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 0.25
RETRY_SECONDS = 1.0  # after a failure: a database that hangs must not slow every request


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The routing state at one moment.

    `etag`, `published` and `invalidated` are compared to learn what changed; `functions` maps the
    name of a live function to its source; `hosts` maps a host to its function's source; `dropped`
    are the paths invalidated since the snapshot before.
    """

    etag: str = ""
    published: int = -1
    invalidated: int = -1
    keyvalues: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    dropped: Sequence[str] = ()

    def function_for(self, host: str) -> str:
        """Give the source that meets a host's viewers; before a publication, the shipped one."""
        return self.hosts.get(host) or function_source()


def functions_by_host(keyvalues: Mapping[str, str], functions: Mapping[str, str]) -> dict[str, str]:
    """Tell which function meets which host, by the environment in the host's routing document."""
    found = {}
    for key, value in keyvalues.items():
        kind, _, host = key.partition(":")
        source = functions.get(function_name(environment_of(value))) if kind == "host" else None
        if source:
            found[host] = source
    return found


def environment_of(document: str) -> str:
    """Name the environment of a routing document, or nothing where it cannot be read."""
    try:
        return str(json.loads(document)["e"])
    except (ValueError, KeyError, TypeError):
        return ""  # the function answers such a host with 503


class SnapshotKeeper:
    """Holds the newest snapshot of this process."""

    def __init__(
        self,
        *,
        read: Callable[[Snapshot], Snapshot],
        changed: Callable[[Snapshot], None],
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        """`read` gives a newer snapshot or the same; `changed` hears of each newer one."""
        self._read = read
        self._changed = changed
        self._refresh_seconds = refresh_seconds
        self._snapshot = Snapshot()
        self._due = 0.0
        self._lock = threading.Lock()

    def current(self) -> Snapshot:
        """Give the snapshot, read again when it is due."""
        if time.monotonic() < self._due:
            return self._snapshot
        # The first request waits for a first snapshot; later ones never wait.
        if self._lock.acquire(blocking=self._snapshot.published < 0):
            try:
                if time.monotonic() >= self._due:
                    self._refresh()
            finally:
                self._lock.release()
        return self._snapshot

    def _refresh(self) -> None:
        wait = self._refresh_seconds
        try:
            newer = self._read(self._snapshot)
        except BackendUnavailable as error:
            logger.warning("The edge goes on with what it knows: %s", error)
            wait = max(wait, RETRY_SECONDS)
        else:
            if newer is not self._snapshot:
                self._changed(newer)
                self._snapshot = newer
        self._due = time.monotonic() + wait
