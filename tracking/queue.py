"""Requesting background work. Tasks have no arguments, because the queue's tables store them.

The links say what is to be published (TrackingLinkQuerySet.behind); a task only says that it should
be now. So one task that waits is enough for any number of changes, and a lost one does no harm: the
queue's heartbeat publishes too, every few seconds (qdn/tasks/heartbeat.py).
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

PUBLISH = "tracking.tasks.publish"
QUEUE = "publishing"


def request_publishing() -> None:
    """Enqueue publishing once the change is committed, unless a task waits already."""
    enqueue_unless_waiting(PUBLISH, queue=QUEUE, group="tracking")


def enqueue_unless_waiting(task: str, *, queue: str, group: str) -> None:
    """Enqueue a task of a queue that has no other, once the change is committed.

    Looking after the commit makes this safe: a task that still waits will see the change. An outage
    of the queue is logged and does not stop the caller.
    """

    def enqueue() -> None:
        if not _waits(queue):
            # A failed task is not repeated: the heartbeat is.
            options = {"cluster": queue, "group": group, "ack_failure": True}
            async_task(task, q_options=options)

    transaction.on_commit(enqueue, robust=True)


def _waits(queue: str) -> bool:
    """Whether a task waits already. Asked without the database's broker, which reconnects."""
    if settings.REDIS_URL:
        return bool(get_broker(queue).queue_size())
    return bool(OrmQ.objects.filter(key=queue, lock__lte=timezone.now()).exists())
