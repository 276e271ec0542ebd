"""What runs regularly. To add something, add a line to SCHEDULES.

All of it runs in the queue that may wait, so it holds up neither publishing nor a rollback. A task
must be safe to repeat: a run whose worker was killed is repeated.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connections
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django_q.models import Schedule, Task
from django_q.tasks import async_task

from qdn.models import MissingRun

# The scheduler has queued it, or a worker's result is on its way to the database.
UNDERWAY = timedelta(seconds=10)
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Regular:
    """A task that runs every minute, hour or day. `name` is its name in the admin."""

    name: str
    func: str
    every: str


SCHEDULES = (
    # Independent of the publishing queue, in case it has no cluster.
    Regular("Publish tracking documents", "tracking.tasks.publish", Schedule.MINUTES),
    Regular("Remind customers and say who is late", "notifications.tasks.notice", Schedule.MINUTES),
    Regular("Push incoming archives", "deployments.tasks.receive_incoming", Schedule.MINUTES),
    Regular("Compare documents with links", "tracking.tasks.reconcile", Schedule.HOURLY),
    Regular("End canaries that are worse", "deployments.tasks.watch_canaries", Schedule.MINUTES),
    Regular("End tracking links", "tracking.tasks.end_links", Schedule.HOURLY),
    Regular("Check tracking pages", "qdn.tracking_check.check_hourly", Schedule.HOURLY),
    Regular("Write the job registry", "tracking.tasks.write_registry", Schedule.HOURLY),
    Regular("Wipe access notes", "dispatch.tasks.forget", Schedule.HOURLY),
    Regular("Make service windows", "dispatch.tasks.make_windows", Schedule.DAILY),
    Regular("Recount service windows", "dispatch.tasks.recount_windows", Schedule.DAILY),
    Regular("Remove old photos", "dispatch.tasks.purge_photos", Schedule.DAILY),
    Regular("Remove old links of crews", "crews.tasks.purge", Schedule.DAILY),
    Regular("Remove documents without a link", "tracking.tasks.prune_daily", Schedule.DAILY),
    Regular("Remove old previews", "deployments.previews.tasks.expire_daily", Schedule.DAILY),
    Regular("Forget old hook calls and uploads", "deployments.tasks.forget", Schedule.DAILY),
    Regular("Remove old releases", "deployments.retention.task.prune_daily", Schedule.DAILY),
)


def ensure_schedules(using: str = "default", **kwargs: Any) -> None:
    """Create the schedules that are missing; others stay as they were changed in the admin.

    Receives post_migrate, which passes more arguments.
    """
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate qdn` on a database where the queue has no tables yet
    for one in SCHEDULES:
        values = {"func": one.func, "schedule_type": one.every, "minutes": 1, "repeats": -1}
        Schedule.objects.using(using).get_or_create(name=one.name, defaults=values)


def repeat_missing() -> None:
    """Queue each run again that ended without a result, because its worker was killed.

    A task of the queue's only worker: while it runs, no scheduled task does.
    """
    missing = _without_result()
    MissingRun.objects.exclude(schedule__in=missing).delete()
    for schedule in missing:
        _look_at(schedule)


def _without_result() -> QuerySet[Schedule]:
    ended = Task.objects.filter(id=OuterRef("task"))
    ours = Schedule.objects.filter(name__in=[one.name for one in SCHEDULES], task__isnull=False)
    found: QuerySet[Schedule] = ours.exclude(Exists(ended))
    return found


def _look_at(schedule: Schedule) -> None:
    now = timezone.now()
    first = {"task": schedule.task, "missed_at": now, "attempts": 1}
    run, _ = MissingRun.objects.get_or_create(schedule=schedule, defaults=first)
    if run.task != schedule.task:  # the next run has become due
        MissingRun.objects.filter(pk=run.pk).update(**first)
    elif now - run.missed_at > UNDERWAY and run.attempts < MAX_ATTEMPTS:
        _repeat(schedule, run)


def _repeat(schedule: Schedule, run: MissingRun) -> None:
    task = async_task(schedule.func, q_options={"group": schedule.name})
    Schedule.objects.filter(pk=schedule.pk).update(task=task)
    repeated = {"task": task, "missed_at": timezone.now(), "attempts": run.attempts + 1}
    MissingRun.objects.filter(pk=run.pk).update(**repeated)
