"""Asking for background work. No task has arguments: they would stand in the queue's tables."""

from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django_q.models import Schedule
from django_q.tasks import async_task

PUBLISH = "tracking.tasks.publish"
SCHEDULE = "Publish tracking documents"


def request_publishing() -> None:
    """Enqueue publishing. With the database as broker it rolls back with the caller's change.

    Redis knows no transactions: a worker that heard before the commit would find nothing to do.
    And a Redis that is down must not refuse bookings: the schedule publishes when it is back.
    """
    if settings.REDIS_URL:
        transaction.on_commit(_enqueue, robust=True)
    else:
        _enqueue()


def _enqueue() -> None:
    async_task(PUBLISH, q_options={"group": "tracking"})


def on_job_changed(**kwargs: Any) -> None:
    """Receive dispatch.signals.job_changed, inside the transaction of the change."""
    request_publishing()


def ensure_schedule(using: str = "default", **kwargs: Any) -> None:
    """Publish every minute too: a safety net for whatever a lost task or a store failure left.

    Connected to post_migrate, which passes more arguments than used.
    """
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate tracking` on a database where the queue has no tables yet
    Schedule.objects.using(using).get_or_create(
        name=SCHEDULE,
        defaults={"func": PUBLISH, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1},
    )
