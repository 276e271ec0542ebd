"""The task queues, and how long their oldest tasks have waited."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from qdn.models import Heartbeat


@dataclass(frozen=True, slots=True)
class QueueAge:
    """Ages in seconds: of the oldest task that waits, and of the last heartbeat, or None.

    `watched` is how long ago `manage.py work` looked at the queue; `is_busy`, whether every worker
    had a task then.
    """

    waiting: float | None
    heartbeat: float | None
    watched: float | None
    is_busy: bool


def names() -> list[str]:
    """Return the names of the queues, the urgent ones first."""
    return [*settings.Q_CLUSTER["ALT_CLUSTERS"], settings.Q_CLUSTER["name"]]


def workers(queue: str) -> int:
    """Return how many workers a queue's cluster has."""
    own = settings.Q_CLUSTER["ALT_CLUSTERS"].get(queue, {})
    return int(own.get("workers", settings.Q_CLUSTER["workers"]))


def ages() -> dict[str, QueueAge]:
    """Return the ages of each queue. Raises DatabaseError, RedisError."""
    now = timezone.now()
    rows = Heartbeat.objects.in_bulk()
    return {queue: _ages(queue, rows.get(queue) or Heartbeat(), now) for queue in names()}


def _ages(queue: str, row: Heartbeat, now: datetime) -> QueueAge:
    def age(moment: datetime | None) -> float | None:
        return None if moment is None else max((now - moment).total_seconds(), 0)

    oldest = _oldest_in_redis(queue) if settings.REDIS_URL else _oldest_in_database(queue, now)
    return QueueAge(age(oldest), age(row.beat_at), age(row.watched_at), row.is_busy)


def _oldest_in_database(queue: str, now: datetime) -> datetime | None:
    # Until a cluster takes a task, its lock is the time when it was queued.
    waiting = OrmQ.objects.filter(key=queue, lock__lte=now).order_by("lock")
    found: datetime | None = waiting.values_list("lock", flat=True).first()
    return found


def _oldest_in_redis(queue: str) -> datetime | None:
    broker = get_broker(queue)
    package = broker.connection.lindex(broker.list_key, 0)
    found: datetime | None = SignedPackage.loads(package)["started"] if package else None
    return found
