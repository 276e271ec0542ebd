"""The cache of the local edge: in memory, bounded in bytes, least recently used out first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.serving.representation import Representation

CACHE_BYTES = 64 * 1024 * 1024
# One object may take up to 1/4 of the cache, so that a large file cannot empty it.
LARGEST_SHARE = 4


class EdgeCache:
    """Representations by rewritten URI."""

    def __init__(
        self, *, max_bytes: int = CACHE_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_bytes = max_bytes
        self._clock = clock
        self._bytes = 0
        self._entries: OrderedDict[str, tuple[Representation, float, float]] = OrderedDict()
        self._lock = threading.Lock()
        self.generation = 0

    def get(self, uri: str) -> "tuple[Representation, int] | None":
        """Return a fresh representation with its age in seconds, or None."""
        with self._lock:
            found = self._entries.get(uri)
            if found is None:
                return None
            representation, stored, expires = found
            now = self._clock()
            if now >= expires:
                self._remove(uri)
                return None
            self._entries.move_to_end(uri)
            return representation, int(now - stored)

    def put(self, uri: str, representation: "Representation", *, ttl: int, generation: int) -> None:
        """Keep a representation for `ttl` seconds.

        `generation` is the cache's before the object was read. If something was invalidated since
        then, the object may be an outdated one, and it is not kept.
        """
        with self._lock:
            if ttl <= 0 or representation.weight * LARGEST_SHARE > self.max_bytes:
                return
            if generation != self.generation:
                return
            self._remove(uri)
            now = self._clock()
            self._entries[uri] = (representation, now, now + ttl)
            self._bytes += representation.weight
            while self._bytes > self.max_bytes:
                self._remove(next(iter(self._entries)))

    def drop(self, paths: Iterable[str]) -> None:
        """Drop URIs; one that ends in `*` means all that begin with it."""
        wanted = list(paths)
        exact = {path for path in wanted if not path.endswith("*")}
        prefixes = tuple(path[:-1] for path in wanted if path.endswith("*"))
        with self._lock:
            self.generation += 1
            for uri in [uri for uri in self._entries if uri in exact or uri.startswith(prefixes)]:
                self._remove(uri)

    def _remove(self, uri: str) -> None:
        found = self._entries.pop(uri, None)
        if found:
            self._bytes -= found[0].weight
