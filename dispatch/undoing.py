"""Undoing the latest change of a job, by a new event that restores what was before."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from dispatch.changing import change_job, changed_meanwhile, set_price
from dispatch.details import FIELDS, NOT_IN_HISTORY, history_value
from dispatch.errors import NotUndone
from dispatch.models import Crew, Job, JobEvent
from dispatch.prices import parse_price
from dispatch.stepping import moment_of, steps_of, take_back

# The board offers it for 10 s; a slow connection may take longer.
UNDO_FOR = timedelta(seconds=60)
UNDONE = "Undone"
INSTEAD = "Change the job instead."
# The history has the name of a service only, and a crew's report is news that customers have read.
RESTORED = frozenset(FIELDS) - NOT_IN_HISTORY - {"service"} | {"late_by"}
READ: dict[str, Callable[[str], Any]] = {
    "crew": lambda name: Crew.objects.filter(name=name).first(),
    "window_start": moment_of,
    "window_end": moment_of,
    "requested_day": date.fromisoformat,
}


@transaction.atomic
def undo(*, job: Job, revision: int, actor: str, key: UUID | None = None) -> Job:
    """Take back the change that made this revision of the job, if it is the actor's and the latest.

    Several steps at once are taken back at once, as by step_back; details and prices get their
    values before, by a new event. Returns the updated job. Raises NotUndone, WindowFull or
    JobChangedMeanwhile.
    """
    event = JobEvent.objects.filter(job_id=job.pk).order_by("pk").last()
    if event is None or event.revision != revision or revision != job.revision:
        raise changed_meanwhile(job)
    if event.actor != actor:
        raise NotUndone(f"The last change of {job.label} is by {event.actor}.", INSTEAD)
    if refused := _why_not(event, timezone.now()):
        raise NotUndone(refused, INSTEAD)
    if "status" in event.changes:
        return take_back(job=job, steps=steps_of(event), actor=actor, reason=UNDONE, key=key)
    if price := event.changes.get("price"):
        set_price(job=job, price=parse_price(price[0]), actor=actor, reason=UNDONE, key=key)
        return job
    return _restore(job, event, actor, key)


def may_undo(event: JobEvent, now: datetime) -> bool:
    """Whether undo would take this event back for its actor now, if it is still the latest."""
    return not _why_not(event, now)


def _why_not(event: JobEvent, now: datetime) -> str:
    """Return why an event cannot be undone, or ""."""
    if event.at <= now - UNDO_FOR:
        return "It is too late to undo this."
    if "status" in event.changes:
        return "A step back cannot be undone." if event.is_step_back else ""
    if event.kind == JobEvent.Kind.PRICE:
        return "" if event.changes["price"][0] else "A first price cannot be removed."
    if event.kind != JobEvent.Kind.DETAILS or event.changes.keys() == {"late_by"}:
        return "This cannot be undone."
    if names := sorted(event.changes.keys() - RESTORED):
        return f"A change of {', '.join(names)} cannot be undone."
    return ""


def _restore(job: Job, event: JobEvent, actor: str, key: UUID | None) -> Job:
    changes = {name: _read(name, before) for name, (before, _) in event.changes.items()}
    copy = Job(**changes)
    for name, (before, _) in event.changes.items():
        if history_value(copy, name) != before:
            raise NotUndone(f"'{before}' does not exist any more.", INSTEAD)
    kind = JobEvent.Kind.DETAILS
    change_job(job=job, kind=kind, changes=changes, actor=actor, reason=UNDONE, key=key)
    return job


def _read(name: str, before: Any) -> Any:
    """Return the typed value of a value in the history."""
    if name not in READ:
        return before
    return READ[name](before) if before else None
