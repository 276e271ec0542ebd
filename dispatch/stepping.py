"""Several steps of the flow at once, and steps back."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from dispatch import guards
from dispatch.changing import WINDOW, change_job, move_job, news_of_visit
from dispatch.details import history_value
from dispatch.errors import NotUndone, ValueRefused
from dispatch.models import Job, JobEvent
from dispatch.models.history import STEP_BACK, STEPS
from dispatch.statuses import ServiceKind, Status, is_forward, next_statuses

STEP_BACK_FOR = timedelta(minutes=30)


@transaction.atomic
def advance(
    *,
    job: Job,
    to: Status,
    actor: str,
    reason: str = "",
    side: str = "",
    force: bool = False,
    key: UUID | None = None,
    tapped_at: datetime | None = None,
) -> Job:
    """Move a job forward to a status through those between, with an event each: all, or none.

    Every guard on the way must hold, or is overridden as by move_job. Where there is no such way,
    this is move_job. The last event has the `key`. Returns the updated job; after a refusal, read
    it again. Raises what move_job raises.
    """
    steps = steps_to(job, to) or [to]
    if len(steps) > 1 and not (force and reason.strip()):
        _check_way(job, steps, reason)
    for step in steps:
        is_last = step == to
        move_job(
            job=job,
            to=step,
            actor=actor,
            reason=reason,
            side=side,
            force=force,
            noted={STEPS: ["", len(steps)]} if is_last and len(steps) > 1 else None,
            key=key if is_last else None,
            tapped_at=tapped_at,
        )
    return job


def steps_to(job: Job, to: Status) -> list[Status]:
    """Return the fewest steps forward from the job's status to another; none if there is no way."""
    placed = job.kind == ServiceKind.DUMPSTER and job.was_placed
    return steps_between(Status(job.status), to, kind=job.kind, placed=placed)


def steps_between(start: Status, to: Status, *, kind: ServiceKind, placed: bool) -> list[Status]:
    """Return the fewest steps forward. `placed`: whether the dumpster has been on site."""
    ways: deque[list[Status]] = deque([[start]])
    seen = {start}
    while ways:
        way = ways.popleft()
        steps = [step for step in next_statuses(way[-1], kind) if is_forward(way[-1], step)]
        is_named = way[-1] == start and to in steps
        if Status.ON_SITE in steps and not is_named and not placed:
            steps = [Status.ON_SITE]  # none leads past the placing, unless it is named
        for status in steps:
            if status == to:
                return [*way[1:], status]
            if status not in seen:
                seen.add(status)
                ways.append([*way, status])
    return []


def _check_way(job: Job, steps: Sequence[Status], reason: str) -> None:
    """Raise GuardRefused with all that the job lacks for any of the steps."""
    now = timezone.now()
    lacks = [guards.missing(job=job, to=step, now=now, reason=reason) for step in steps]
    # Of two that one field fixes, the later step asks for more: an all-in price, not any price.
    if found := {one.field: one for missing in lacks for one in missing}:
        raise guards.GuardRefused(list(found.values()))


def last_step(job: Job, now: datetime) -> JobEvent | None:
    """Return the step that step_back would take back, or None."""
    last = _moves(job).last()
    if last is None or last.at <= now - STEP_BACK_FOR or last.is_step_back:
        return None
    return last


@transaction.atomic
def step_back(
    *, job: Job, actor: str, reason: str, key: UUID | None = None, dry_run: bool = False
) -> Job:
    """Return the job to the status before its last step, by a new event and without a message.

    Possible for 30 minutes, and for one step. What else the step changed, such as the window, is
    as before too, unless it was changed since. A dry run changes only `job`. Raises
    NotUndone, ValueRefused, WindowFull or JobChangedMeanwhile.
    """
    if not reason.strip():
        raise ValueRefused("Stepping back needs a reason.", "Enter a reason.", field="reason")
    last = last_step(job, timezone.now())
    if last is None:
        minutes = STEP_BACK_FOR.seconds // 60
        raise NotUndone(
            f"The last step of {job.label} cannot be taken back.",
            f"That is possible for {minutes} minutes, and for one step. "
            "Move the job on, or book a new one.",
        )
    take_back(job=job, steps=[last], actor=actor, reason=reason, key=key)
    if dry_run:
        transaction.set_rollback(True)
    return job


def steps_of(event: JobEvent) -> list[JobEvent]:
    """Return the steps that were made at once with this one, which is their last; oldest first."""
    number = event.changes.get(STEPS, ["", 1])[1]
    moves = _moves(event.job).filter(revision__lte=event.revision)
    return list(moves.reverse()[:number])[::-1]


def take_back(
    *, job: Job, steps: Sequence[JobEvent], actor: str, reason: str, key: UUID | None
) -> Job:
    """Take back a job's last steps (oldest first) by one event. Raises as step_back does."""
    first, last = steps[0], steps[-1]
    to = Status(first.changes["status"][0])
    change_job(
        job=job,
        kind=JobEvent.Kind.STATUS,
        changes={"status": to, **news_of_visit(job, to), **_values_before(job, steps)},
        noted={STEP_BACK: [str(last.revision), str(first.revision)]},
        actor=actor,
        reason=reason,
        key=key,
        quiet=True,
    )
    return job


def moment_of(text: str | None) -> datetime | None:
    """Return the moment of a text in history, which is in TIME_ZONE."""
    if not text:
        return None
    naive = datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 (made aware below)
    return timezone.make_aware(naive)


# What a step may change beside the status, and how to read it from the history.
READ: dict[str, Callable[[Any], Any]] = {
    "window_start": moment_of,
    "window_end": moment_of,
    "arrived_at": moment_of,
    "late_by": int,
    "cancel_side": str,
}


def _values_before(job: Job, steps: Sequence[JobEvent]) -> dict[str, Any]:
    """Return what the steps changed beside the status, as it was before, unless changed since."""
    found: dict[str, Any] = {}
    for step in reversed(steps):
        for name, (before, after) in step.changes.items():
            if name in READ and (name in found or history_value(job, name) == after):
                found[name] = READ[name](before)
    if not found.keys() >= WINDOW:  # of a window that was changed since, both ends stay
        found = {name: value for name, value in found.items() if name not in WINDOW}
    if job.status == Status.CANCELLED and job.window_start is not None:
        # Cancelling released the room; naming the times takes it again.
        found = {"window_start": job.window_start, "window_end": job.window_end, **found}
    return found


def _moves(job: Job) -> QuerySet[JobEvent]:
    """Return the events that changed the job's status, oldest first."""
    return JobEvent.objects.filter(job_id=job.pk, changes__has_key="status").order_by("pk")
