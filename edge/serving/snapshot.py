"""Keeps a snapshot of the back end in memory, so that requests need no query.

The snapshot is refreshed at most every quarter of a second, by the first request that finds it too
old; other threads use the one they have. While the back end does not answer, the last one is kept;
a process that has none takes the one on disk.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.errors import BackendUnavailable
from edge.protocols import ReadSnapshot, Snapshot
from edge.serving.snapshot_file import SnapshotFile

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 0.25
RETRY_SECONDS = 1.0  # after a failure, so that a slow database does not delay every request


@dataclass(frozen=True, slots=True)
class SnapshotHealth:
    """How current the routing of this process is.

    `failing_since`: when the back end was first asked in vain, or None if it answered the last
    time. `is_from_disk`: this process has never read the back end and uses the snapshot of an
    earlier one. `is_empty`: it has no snapshot at all, so all pages answer 503.
    """

    failing_since: datetime | None
    is_from_disk: bool
    is_empty: bool


class SnapshotKeeper:
    """Keeps the newest snapshot of this process."""

    def __init__(
        self,
        *,
        read: ReadSnapshot,
        changed: Callable[[Snapshot], None],
        refresh_seconds: float = REFRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        file: SnapshotFile | None = None,
    ) -> None:
        """`changed` is called with each newer snapshot, which is also written to `file`."""
        self._read = read
        self._changed = changed
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._file = file
        self._failing_since: datetime | None = None
        self._is_from_disk = False
        self._snapshot = Snapshot()
        self._due = 0.0
        self._lock = threading.Lock()

    def current(self) -> Snapshot:
        """Return the snapshot, refreshed if it is due."""
        if self._clock() < self._due:
            return self._snapshot
        # Requests wait for the first snapshot only.
        if self._lock.acquire(blocking=self._is_empty):
            try:
                if self._clock() >= self._due:
                    self._refresh()
            finally:
                self._lock.release()
        return self._snapshot

    def health(self) -> SnapshotHealth:
        """Return how current the snapshot is, after a refresh if it is due."""
        self.current()
        return SnapshotHealth(self._failing_since, self._is_from_disk, self._is_empty)

    @property
    def _is_empty(self) -> bool:
        return self._snapshot.published < 0

    def _refresh(self) -> None:
        wait = self._refresh_seconds
        try:
            newer = self._read(self._snapshot)
        except BackendUnavailable as error:
            logger.warning("The edge keeps its last snapshot: %s", error)
            wait = max(wait, RETRY_SECONDS)
            self._failed()
        else:
            self._succeeded(newer)
        self._due = self._clock() + wait

    def _failed(self) -> None:
        self._failing_since = self._failing_since or datetime.now(UTC)
        found = self._file.read() if self._file and self._is_empty else None
        if found:
            logger.warning("The edge serves from the snapshot on disk.")
            self._is_from_disk = True
            self._take(found)

    def _succeeded(self, newer: Snapshot) -> None:
        self._failing_since, self._is_from_disk = None, False
        if newer is not self._snapshot:
            self._take(newer)
            if self._file:
                self._file.write(newer)

    def _take(self, snapshot: Snapshot) -> None:
        self._changed(snapshot)
        self._snapshot = snapshot
