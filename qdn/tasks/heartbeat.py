"""Heartbeats: tasks that show that a queue's cluster works, and find the work that was lost.

The database says what is to be done: links behind their job, operations that were confirmed,
schedules without a result. The queues only say that it should be done now. So a heartbeat looks for
work that no task is left for, and a killed process or an emptied queue loses nothing.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from qdn.models import Heartbeat

BEAT = "qdn.tasks.heartbeat.beat"
SEARCHES = {
    "publishing": "tracking.tasks.publish",
    "messages": "notifications.tasks.send",
    "deployments": "deployments.tasks.resume",
    "builds": "builds.tasks.resume",
    settings.Q_CLUSTER["name"]: "qdn.tasks.schedules.repeat_missing",
}
log = logging.getLogger(__name__)


def send(queue: str) -> None:
    """Queue a heartbeat. Raises DatabaseError, RedisError."""
    # Its row is the result; a failed one is not repeated, because the next one follows.
    options = {"cluster": queue, "group": "heartbeat", "save": False, "ack_failure": True}
    async_task(BEAT, queue, q_options=options)


def import_searches() -> None:
    """Import what every cluster needs, so that their processes share its memory."""
    for search in SEARCHES.values():
        import_string(search)


def beat(queue: str) -> None:
    """Find the work of a queue that was lost. An error is logged: the chain itself works."""
    try:
        import_string(SEARCHES[queue])()
    except Exception as error:
        # Without a traceback: at an outage there is one every few seconds.
        log.warning("%s: %s: %s", queue, type(error).__name__, error)


def record(task: Mapping[str, Any], **kwargs: Any) -> None:
    """Write down that a heartbeat has come through.

    Receives django_q.signals.post_execute, which the process that records results sends last.
    """
    if task["func"] != BEAT:
        return
    try:
        Heartbeat.objects.update_or_create(
            queue=task["args"][0], defaults={"beat_at": timezone.now()}
        )
    except DatabaseError as error:
        log.warning("The heartbeat of %s was not recorded: %s", task["args"][0], error)
        connections.close_all()  # the database may be back for the next one
