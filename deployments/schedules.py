"""Asking for background work."""

from typing import Any

from django.db import connections
from django_q.models import Schedule

PRUNE = "deployments.retention.task.prune_daily"
SCHEDULE = "Remove old releases"


def ensure_schedule(*, using: str = "default", **kwargs: Any) -> None:
    """Ask for retention every day; the task looks whether PRUNE_SCHEDULED wants it.

    Connected to post_migrate, which passes more arguments than used.
    """
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate deployments` on a database where the queue has no tables yet
    Schedule.objects.using(using).get_or_create(
        name=SCHEDULE,
        defaults={"func": PRUNE, "schedule_type": Schedule.DAILY, "repeats": -1},
    )
