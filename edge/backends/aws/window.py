"""How many requests may be in flight: as many as the endpoint sustains.

A network's latency is hidden by requests in flight, and S3 answers 503 SlowDown to more than it
takes. So the number grows while that makes answers come faster, and is halved by a SlowDown and by
an answer that does not come in time (additive increase, multiplicative decrease, as TCP does it).
"""

import threading
import time
from collections.abc import Callable

FIRST, MOST, STEP = 64, 256, 32
WORTH_IT = 1.1  # times the most answers a second seen so far


class Window:
    """A number of requests that learns from answers. Any number of threads may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.size = FIRST
        self.halved = 0  # how often
        self._start_round(best=0)

    def answered(self) -> None:
        """Count an answer; as many as the window holds are a round, after which it may grow."""
        with self._lock:
            self._answers += 1
            if self._answers < self.size:
                return
            rate = self._answers / max(self._clock() - self._since, 1e-6)
            if rate > self._best * WORTH_IT:
                self.size = min(self.size + STEP, MOST)
            self._start_round(best=max(rate, self._best))

    def slow_down(self, sent_at: int) -> None:
        """Halve the window, once for all requests that were sent while it was too large.

        `sent_at` is what `halved` was when the request was sent.
        """
        with self._lock:
            if sent_at != self.halved:
                return
            self.halved += 1
            self.size = max(self.size // 2, 1)
            self._start_round(best=0)

    def _start_round(self, best: float) -> None:
        self._answers, self._since, self._best = 0, self._clock(), best
