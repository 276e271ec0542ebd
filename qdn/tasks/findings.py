"""What `doctor` says about background work."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule

from edge.protocols import Diagnosis
from qdn.models import Heartbeat
from qdn.tasks import queues
from qdn.tasks.queues import QueueAge

START = "Start it and keep it running: manage.py work"
RESTART = (
    "manage.py work replaces such a cluster by itself within a minute. If this lasts, restart it "
    "and read what it prints."
)
# Heartbeats are seconds apart; `work` replaces a cluster sooner.
LATE_SECONDS = 60
# The cluster checks schedules every 30 seconds, and ours is due every minute.
OVERDUE = timedelta(minutes=3)


def queue_findings() -> Iterator[Diagnosis]:
    """Check that each queue makes progress. Raises DatabaseError, RedisError."""
    for queue, age in queues.ages().items():
        fault, hint = fault_of(queue, age)
        if age.waiting is None:
            waits = "none waiting"
        else:
            waits = f"the oldest task has waited {age.waiting:.0f} s"
        message = f"{queue}: {fault or _progress(age)}; {waits}"
        yield Diagnosis("tasks", ok=not fault, message=message, hint=hint)


def fault_of(queue: str, age: QueueAge) -> tuple[str, str]:
    """Return what is wrong, or "", and what to do about it."""
    if age.watched is None or age.watched > LATE_SECONDS:
        return "manage.py work is not running", START
    if age.is_busy or (age.heartbeat is not None and age.heartbeat <= LATE_SECONDS):
        return "", ""
    since = "yet" if age.heartbeat is None else f"for {age.heartbeat:.0f} s"
    row = Heartbeat.objects.get(pk=queue)
    when = f" (replaced {timezone.localtime(row.replaced_at):%H:%M:%S}: {row.replaced_why})"
    replaced = when if row.replaced_at else ""
    return f"its cluster runs but has finished nothing {since}{replaced}", RESTART


def _progress(age: QueueAge) -> str:
    if age.is_busy:
        return "every worker has a task"
    return f"last heartbeat {age.heartbeat:.0f} s ago"


def schedule_findings() -> Iterator[Diagnosis]:
    """Check for an overdue schedule: a cluster that works keeps it."""
    first = Schedule.objects.order_by("next_run").first()
    if first is None:
        yield Diagnosis("schedule", ok=False, message="is empty", hint="Run: manage.py migrate")
        return
    late = max(timezone.now() - first.next_run, timedelta())
    is_kept = late <= OVERDUE
    overdue = f"'{first.name}' is {late.total_seconds():.0f} s late"
    hint = f"manage.py work keeps schedules; the lines of `tasks` say how it is. {START}"
    yield Diagnosis("schedule", ok=is_kept, message="on time" if is_kept else overdue, hint=hint)
