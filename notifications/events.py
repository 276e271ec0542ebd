"""Which change of a job is which event: the table of rules, and what an event replaces.

A change is one JobEvent, and the first rule that applies decides. Reminders, and crews that are
late without a word, are not changes: notices.py finds them.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from dispatch.models import Job, JobEvent
from dispatch.statuses import NOT_STARTED, OPEN, Status
from notifications.kinds import Event

# A window is promised, and the customer has to know when it changes.
PROMISED = (Status.SCHEDULED, Status.ON_SITE, Status.READY_FOR_PICKUP)
ABOUT_THE_WINDOW = frozenset(
    {Event.RECEIVED, Event.SCHEDULED, Event.RESCHEDULED, Event.REMINDER, Event.RUNNING_LATE}
)
# Keys of events that happen once for each change.
REVISION = "revision "
NOT_ON_THE_WAY = "The crew is not on the way any more."
TAKEN_BACK = "The step was taken back."
NOT_PLANNED = "The job has ended, or is only requested again."
PLANNED = frozenset(OPEN) - {Status.REQUESTED}
# The statuses in which a message that has waited is still true, and why it is not in others.
TRUE_WHILE: dict[Event, tuple[Collection[str], str]] = {
    Event.SCHEDULED: (PLANNED, NOT_PLANNED),
    Event.RESCHEDULED: (PLANNED, NOT_PLANNED),
    Event.ON_THE_WAY: ({Status.EN_ROUTE}, NOT_ON_THE_WAY),
    Event.COMPLETED: ({Status.COMPLETED}, TAKEN_BACK),
    Event.CANCELLED: ({Status.CANCELLED}, TAKEN_BACK),
}
ABOUT_THE_LINK = frozenset({Event.LINK_REPLACED, Event.LINK_REQUESTED})
# What need not be sent any more once the customer hears of the event.
REPLACES: dict[Event, frozenset[Event]] = {
    Event.SCHEDULED: ABOUT_THE_WINDOW,
    Event.RESCHEDULED: ABOUT_THE_WINDOW,
    Event.ON_THE_WAY: ABOUT_THE_WINDOW,
    Event.RUNNING_LATE: frozenset({Event.RUNNING_LATE}),
    Event.PRICE_CHANGED: frozenset({Event.PRICE_CHANGED}),
    Event.COMPLETED: ABOUT_THE_WINDOW | {Event.ON_THE_WAY, Event.PRICE_CHANGED},
    Event.CANCELLED: frozenset(Event) - ABOUT_THE_LINK,
    Event.LINK_REPLACED: ABOUT_THE_LINK,
    Event.LINK_REQUESTED: frozenset({Event.LINK_REQUESTED}),
    Event.CUSTOMER_WROTE: frozenset({Event.CUSTOMER_WROTE}),
}


@dataclass(frozen=True, slots=True)
class Change:
    """A JobEvent with its job as it is after the change."""

    event: JobEvent
    job: Job

    def before(self, field: str) -> object:
        """Return what a changed field was before; None if it was empty or did not change."""
        pair = self.event.changes.get(field)
        return pair[0] or None if pair else None

    def creates(self, status: Status) -> bool:
        return self.event.kind == JobEvent.Kind.CREATED and self.event.status == status

    def moves_to(self, status: Status) -> bool:
        return "status" in self.event.changes and self.event.status == status

    @property
    def sets_window(self) -> bool:
        changed = not {"window_start", "window_end"}.isdisjoint(self.event.changes)
        return changed and self.job.window_start is not None


def _is_scheduled(change: Change) -> bool:
    if change.job.window_start is None:
        return False
    from_request = change.before("status") == Status.REQUESTED
    is_first = change.sets_window and change.before("window_start") is None
    return (
        change.creates(Status.SCHEDULED)
        or (change.moves_to(Status.SCHEDULED) and from_request)
        or (is_first and "window_start" in change.event.changes and _is_promised(change))
    )


def _is_promised(change: Change) -> bool:
    return change.event.status in PROMISED


RULES: tuple[tuple[Event, Callable[[Change], bool]], ...] = (
    (Event.CANCELLED, lambda change: change.moves_to(Status.CANCELLED)),
    (Event.COMPLETED, lambda change: change.moves_to(Status.COMPLETED)),
    (Event.ON_THE_WAY, lambda change: change.moves_to(Status.EN_ROUTE)),
    (Event.SCHEDULED, _is_scheduled),
    (Event.RESCHEDULED, lambda change: change.sets_window and _is_promised(change)),
    (
        Event.RUNNING_LATE,
        lambda change: "late_by" in change.event.changes and change.job.late_by > 0,
    ),
    (Event.PRICE_CHANGED, lambda change: change.before("price") is not None),
    (Event.RECEIVED, lambda change: change.creates(Status.REQUESTED)),
    (Event.CUSTOMER_WROTE, lambda change: change.event.kind == JobEvent.Kind.ANSWER),
)


def event_of(change: Change) -> Event | None:
    """Return the event that customers hear of, or None."""
    return next((event for event, applies in RULES if applies(change)), None)


def key_of(event: Event, change: Change) -> str:
    """Return what distinguishes this event from others of its kind.

    A crew that turns back and leaves again is on the way once for each window.
    """
    if event == Event.ON_THE_WAY and change.job.window_start is not None:
        return window_key(change.job)
    return f"{REVISION}{change.event.revision}"


def window_key(job: Job) -> str:
    """Return the key of events that happen once for each window."""
    start, end = job.window_start, job.window_end
    return f"window {_stamp(start)} {_stamp(end)}"


def why_outdated(event: Event, key: str, job: Job) -> str:
    """Return why a message that has waited is not true any more, or ""."""
    if job.status == Status.CANCELLED and event not in ABOUT_THE_LINK | {Event.CANCELLED}:
        return "The job was cancelled."
    if event in (Event.REMINDER, Event.RUNNING_LATE):
        return _why_not_awaited(key, job)
    statuses, reason = TRUE_WHILE.get(event, (Status.values, ""))
    return reason if job.status not in statuses else ""


def _why_not_awaited(key: str, job: Job) -> str:
    if job.on_hold:
        return "The job is on hold."
    if job.status not in NOT_STARTED or not _is_about_now(key, job):
        return "The crew has come, or the window was changed."
    return ""


def _is_about_now(key: str, job: Job) -> bool:
    """Whether the key is of the present window, or of a delay that the crew still expects."""
    return job.late_by > 0 if key.startswith(REVISION) else window_key(job) == key


def _stamp(moment: datetime | None) -> str:
    return f"{int(moment.timestamp())}" if moment else ""
