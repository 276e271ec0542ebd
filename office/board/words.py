"""What a change of a job is called: in the answer to an act, and in the list of what changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist

from dispatch.days import interval_text
from dispatch.models import Job, JobEvent
from dispatch.models.history import STEP_BACK
from dispatch.statuses import Status
from dispatch.stepping import moment_of
from dispatch.undoing import UNDONE
from dispatch.visits import VISIT, Failure

# What history holds that is in no field of a job.
TITLES = {
    "overridden": "went ahead with",
    "price_answer": "customer's answer to the price",
    "pickup": "customer asks for the pickup",
    VISIT: "visit failed",
}
# Which steps an event takes back, or how many it made, is not for people.
HIDDEN = frozenset({STEP_BACK, "steps"})
TIMES = ("window_start", "window_end")


def said(event: JobEvent) -> str:
    """Return what an act did, in a sentence for the one who did it."""
    text = _said(event.changes, event).rstrip(".") + "."  # a time ends with "a.m."
    return f"Undone. {text}" if event.reason == UNDONE else text


def listed(events: Iterable[JobEvent]) -> list[dict[str, Any]]:
    """Return every change of these events: {"field", "label", "before", "after", "actor"}."""
    return [
        {
            "field": name,
            "label": title(name),
            "before": text_of(name, before),
            "after": text_of(name, after),
            "actor": event.actor,
        }
        for event in events
        for name, (before, after) in event.changes.items()
        if name not in HIDDEN
    ]


def lines(event: JobEvent) -> str:
    """Return an event of the timeline as text, a part per change."""
    if event.kind == JobEvent.Kind.CREATED:
        return "Booked"
    parts = [
        f"{title(name)}: {text_of(name, before) or 'none'} → {text_of(name, after) or 'none'}"
        for name, (before, after) in event.changes.items()
        if name not in HIDDEN
    ]
    text = "; ".join(parts) or str(event)
    return text[:1].upper() + text[1:]


def title(name: str) -> str:
    """Return the name of a field, or of a note, for people."""
    if name in TITLES:
        return TITLES[name]
    try:
        return str(Job._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return name.replace("_", " ")


def text_of(name: str, value: Any) -> str:
    """Return a value of the history for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "status" and value in Status.values:
        return str(Status(value).label)
    if name == VISIT and value in Failure.values:
        return str(Failure(value).label)
    return "" if value is None else str(value)


def _said(changes: Mapping[str, Any], event: JobEvent) -> str:
    if "status" in changes:
        label = Status(event.status).label
        return f"Back to {label}." if STEP_BACK in changes else f"{label}."
    if "crew" in changes:
        crew = changes["crew"][1]
        return f"Assigned to {crew}." if crew else "Crew taken away."
    if changes.keys() & set(TIMES):
        return _window(changes, event)
    if "on_hold" in changes:
        return "On hold." if changes["on_hold"][1] else "Hold ended."
    if "price" in changes:
        return f"Price: {changes['price'][1]}."
    return "Saved."


def _window(changes: Mapping[str, Any], event: JobEvent) -> str:
    values = [changes[name][1] if name in changes else None for name in TIMES]
    now: list[datetime | None] = [moment_of(value) if value else None for value in values]
    start, end = now[0] or event.job.window_start, now[1] or event.job.window_end
    if start is None or end is None or "" in values:
        return "Window taken away."
    return f"Window: {interval_text(start, end)}."
