"""The public document of a job: an allow-list of fields.

Anyone with the link can read it, and links get forwarded. So it holds the first name, the street
without its number, and nothing by which a person can be found or called (design section 7).
"""

import json
from datetime import UTC, datetime
from typing import Any

from dispatch.models import Job, JobEvent
from dispatch.statuses import Status, flow_for
from tracking.places import area_of, first_name_of

VERSION = 1
CONTENT_TYPE = "application/json"
CACHE_CONTROL = "public, max-age=5"
MOVES = frozenset({JobEvent.Kind.CREATED.value, JobEvent.Kind.STATUS.value})


def public_document(job: Job) -> dict[str, Any]:
    """Return what the customer may see of a job, as of `job.revision`.

    Times are UTC to the second, like "2026-11-21T17:00:00Z". `window`, `price` and `crew` are
    null until set; a step's `at` is null if it is ahead or was never recorded.
    """
    status = Status(job.status)
    price = job.price
    return {
        "v": VERSION,
        "number": job.label,
        "status": status.value,
        "label": status.label,
        "flow": flow_of(job),
        "service": job.service.name,
        "window": _window(job),
        "area": area_of(job.address_line, job.town),
        "first_name": first_name_of(job.contact_name),
        "price": str(price) if price else None,
        "crew": job.crew.name if job.crew else None,
        "updated_at": moment(job.updated_at),
        "revision": job.revision,
    }


def to_bytes(document: dict[str, Any]) -> bytes:
    """Return canonical JSON: equal documents have equal bytes, and so the same ETag."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def flow_of(job: Job) -> list[dict[str, str | None]]:
    """List the job's steps: code, label, and when the job reached each.

    A rescheduled job has moved back, so the steps ahead of it have no time. A cancelled job has
    the steps it reached, then the cancellation.
    """
    reached = _reached(job)
    path = flow_for(job.kind)
    current = Status(job.status)
    if current == Status.CANCELLED:
        path = [step for step in path if step in reached] + [current]
    elif current not in path:
        path = [*path, current]  # its present service does not have this step
    here = path.index(current)
    return [
        {
            "code": step.value,
            "label": step.label,
            "at": moment(reached[step]) if place <= here and step in reached else None,
        }
        for place, step in enumerate(path)
    ]


def moment(at: datetime) -> str:
    """Format a time as in documents."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reached(job: Job) -> dict[Status, datetime]:
    """Return when the job last reached each status.

    Events newer than `job.revision` are ignored: the document describes one revision.
    """
    moves = [
        event
        for event in job.events.all()
        if event.kind in MOVES and event.revision <= job.revision
    ]
    return {Status(event.status): event.at for event in sorted(moves, key=lambda one: one.revision)}


def _window(job: Job) -> dict[str, str] | None:
    if job.window_start is None or job.window_end is None:
        return None
    return {"start": moment(job.window_start), "end": moment(job.window_end)}
