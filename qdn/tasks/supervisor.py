"""The supervisor: a cluster for each queue, replaced when it makes no progress.

It watches what comes out. Each queue gets a heartbeat every few seconds, a task like any other. A
cluster that leaves one unfinished for too long while it has a free worker is replaced. While every
worker has a task the cluster is busy, however long that takes: tasks have time limits.
"""

import gc
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from redis.exceptions import RedisError

from qdn.models import Heartbeat
from qdn.tasks import heartbeat, queues
from qdn.tasks.cluster import Cluster

TICK_SECONDS = 0.5
# A cluster that ends at once, because Redis does not answer, is not restarted in a loop.
RESTART_SECONDS = 5.0
# How long running tasks have to end when `work` is asked to stop. What has not ended is repeated.
STOP_SECONDS = 30.0


class Supervised(Protocol):
    """What a supervisor needs of a cluster (qdn/tasks/cluster.py)."""

    @property
    def ended(self) -> str: ...
    def busy(self) -> int: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


@dataclass
class Watch:
    """A queue under supervision.

    `idle` counts the seconds for which a heartbeat has waited although a worker was free. `seen` is
    the last heartbeat's time when the current one was sent: as long as it is the same, it waits.
    """

    queue: str
    workers: int
    cluster: Supervised
    started: float
    next_beat: float = 0
    waits: bool = False
    seen: datetime | None = None
    idle: float = 0

    def forget(self) -> None:
        """Send another heartbeat: the last one was for another cluster, or may be lost."""
        self.waits, self.idle, self.next_beat = False, 0, 0


class Supervisor:
    """Runs a cluster for each queue until `stop` is called; a second call kills them.

    `start` starts the cluster of a queue. `say` is called with a line for each replaced cluster.
    """

    def __init__(
        self,
        *,
        start: Callable[[str], Supervised],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._start, self._say, self._clock, self._pause = start, say, clock, pause
        self._stops = 0
        self._looked = clock()
        self._outage = ""
        self._retired: list[Supervised] = []
        self.watches = [
            Watch(name, queues.workers(name), start(name), clock()) for name in queues.names()
        ]

    def stop(self) -> None:
        """Make `run` end. Safe to call in a signal handler."""
        self._stops += 1

    def run(self) -> None:
        """Watch until `stop` is called, then end all clusters."""
        while not self._stops:
            self.look()
            self._pause(TICK_SECONDS)
        self._end()

    def look(self) -> None:
        """Look at every queue once."""
        now = self._clock()
        # At most two ticks: a machine that was asleep or overloaded does not count as idle.
        elapsed = min(now - self._looked, 2 * TICK_SECONDS)
        self._looked = now
        for watch in self.watches:
            if (how := watch.cluster.ended) and now - watch.started >= RESTART_SECONDS:
                self._replace(watch, f"it ended: {how}")
        self._retired = [one for one in self._retired if not self._is_done(one)]
        try:
            rows = Heartbeat.objects.in_bulk()
            for watch in self.watches:
                self._look_at(watch, rows.get(watch.queue), elapsed)
            self._outage = ""
        except (DatabaseError, RedisError) as error:
            self._wait_for_broker(error)

    def _look_at(self, watch: Watch, row: Heartbeat | None, elapsed: float) -> None:
        beat_at = row.beat_at if row else None
        is_busy = watch.cluster.busy() >= watch.workers
        if beat_at != watch.seen:
            watch.waits, watch.idle, watch.seen = False, 0, beat_at
        elif watch.waits and not is_busy:
            watch.idle += elapsed
        if watch.idle > settings.STALLED_SECONDS:
            self._replace(watch, f"no heartbeat for {watch.idle:.0f} s with a free worker")
        if self._looked >= watch.next_beat:
            watch.next_beat = self._looked + settings.HEARTBEAT_SECONDS
            _write(watch.queue, watched_at=timezone.now(), is_busy=is_busy)
            if not watch.waits:
                heartbeat.send(watch.queue)
                watch.waits = True

    def _replace(self, watch: Watch, why: str) -> None:
        """Start another cluster. A worker of the old one that has a task may finish it."""
        if watch.cluster.busy() and not watch.cluster.ended:
            self._retired.append(watch.cluster)
        else:
            watch.cluster.kill()
        watch.cluster, watch.started = self._start(watch.queue), self._clock()
        watch.forget()
        self._say(f"{watch.queue}: replaced its cluster, {why}")
        _note(watch.queue, replaced_at=timezone.now(), replaced_why=why[:200])

    def _is_done(self, retired: Supervised) -> bool:
        """Kill a replaced cluster once its last task has ended; say whether it has."""
        if retired.busy() and not retired.ended:
            return False
        retired.kill()
        return True

    def _wait_for_broker(self, error: Exception) -> None:
        """Replace nothing while the database or Redis is away: clusters cannot help it."""
        connections.close_all()
        for watch in self.watches:
            watch.forget()
        line = " ".join(f"{type(error).__name__}: {error}".split())
        if line != self._outage:
            self._say(f"Wait for the database and the queue: {line}")
        self._outage = line

    def _end(self) -> None:
        for watch in self.watches:
            _note(watch.queue, watched_at=None)
        clusters = [watch.cluster for watch in self.watches] + self._retired
        for cluster in clusters:
            cluster.stop()
        deadline = self._clock() + STOP_SECONDS
        while self._stops == 1 and self._clock() < deadline:
            if all(cluster.ended for cluster in clusters):
                break
            self._pause(TICK_SECONDS)
        for cluster in clusters:
            cluster.kill()


def _write(queue: str, **values: object) -> None:
    Heartbeat.objects.update_or_create(queue=queue, defaults=values)


def _note(queue: str, **values: object) -> None:
    """Keep what `doctor` shows, if the database answers."""
    try:
        _write(queue, **values)
    except DatabaseError:
        connections.close_all()


def work(*, say: Callable[[str], None]) -> None:
    """Supervise until SIGTERM or SIGINT; a second signal does not wait for running tasks."""
    heartbeat.import_searches()
    gc.freeze()  # memory that the clusters share stays shared
    supervisor = Supervisor(start=Cluster, say=say)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *args: supervisor.stop())
    say(f"Work on the queues {', '.join(queues.names())}")
    supervisor.run()
