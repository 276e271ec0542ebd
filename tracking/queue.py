"""Requesting background work. Tasks have no arguments, because the queue's tables store them."""

from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django_q.models import Schedule
from django_q.tasks import async_task

PUBLISH = "tracking.tasks.publish"
SCHEDULE = "Publish tracking documents"


def request_publishing() -> None:
    """Enqueue publishing. With the database as broker it rolls back with the caller's change.

    Redis has no part in the transaction: a task sent before the commit would find nothing to do.
    Nor may a Redis outage stop bookings; the schedule publishes once Redis is back.
    """
    if settings.REDIS_URL:
        transaction.on_commit(_enqueue, robust=True)
    else:
        _enqueue()


def _enqueue() -> None:
    async_task(PUBLISH, q_options={"group": "tracking"})


def on_job_changed(**kwargs: Any) -> None:
    """Receive dispatch.signals.job_changed inside the transaction of the change."""
    request_publishing()


def ensure_schedule(using: str = "default", **kwargs: Any) -> None:
    """Also publish every minute, as a safety net for lost tasks and store failures.

    Receives post_migrate, which passes more arguments.
    """
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate tracking` on a database where the queue has no tables yet
    Schedule.objects.using(using).get_or_create(
        name=SCHEDULE,
        defaults={"func": PUBLISH, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1},
    )
