"""The public document of a job: an allow-list of fields.

Anyone with the link can read it, and links get forwarded. So it holds the first name, the street
without its number, and nothing by which a person can be found or called (design section 7).
"""

import json
from datetime import UTC, datetime
from typing import Any

from django.utils import translation

from dispatch.models import Job, JobEvent, Price
from dispatch.models.catalogue import price_label
from dispatch.models.history import is_visit_over, without_steps_back
from dispatch.price_questions import question_of
from dispatch.statuses import NOT_STARTED, OPEN, ServiceKind, Status, flow_for
from tracking.places import area_of, first_name_of

VERSION = 1
CONTENT_TYPE = "application/json"
CACHE_CONTROL = "public, max-age=5"
MOVES = frozenset({JobEvent.Kind.CREATED.value, JobEvent.Kind.STATUS.value})


def public_document(job: Job, *, is_receipt: bool = False) -> dict[str, Any]:
    """Return what the customer may see of a job, as of `job.revision`, in the job's language.

    Times are UTC to the second, like "2026-11-21T17:00:00Z". `window`, `price` and `crew` are
    null until set; a step's `at` is null if it is ahead or was never recorded. A closed job is not
    on hold, and the reason of a hold is never in here. A receipt has what was done, when, and for
    what price.
    """
    with translation.override(job.language):
        return _receipt(job) if is_receipt else _whole(job)


def _whole(job: Job) -> dict[str, Any]:
    status = Status(job.status)
    return {
        **_base(job),
        "flow": flow_of(job),
        "window": _window(job),
        "area": area_of(job.address_line, job.town),
        "first_name": first_name_of(job.contact_name),
        "crew": job.crew.name if job.crew else None,
        "on_hold": job.on_hold and status in OPEN,
        "late_by": job.late_by if status in NOT_STARTED else 0,
        "placed": _is_placed(job),
        "cancelled_by": job.cancel_side if status == Status.CANCELLED else None,
        "price_question": _price_question(job),
        "updated_at": moment(job.updated_at),
    }


def _receipt(job: Job) -> dict[str, Any]:
    """Return the present step alone; what updated the job later is nothing of the customer's."""
    end = next(step for step in flow_of(job) if step["code"] == job.status)
    return {
        **_base(job),
        "flow": [end],
        "on_hold": False,
        "receipt": True,
        "updated_at": end["at"] or moment(job.updated_at),
    }


def _base(job: Job) -> dict[str, Any]:
    return {
        "v": VERSION,
        "lang": job.language,
        "number": job.label,
        "status": job.status,
        "label": str(Status(job.status).label),
        "service": job.service.shown_name,
        "price": _price_text(job.price),
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
            "label": str(step.label),
            "at": moment(reached[step]) if place <= here and step in reached else None,
        }
        for place, step in enumerate(path)
    ]


def moment(at: datetime) -> str:
    """Format a time as in documents."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _past(job: Job) -> list[JobEvent]:
    """Return the events that the document describes, which are those up to its revision."""
    events = [event for event in job.events.all() if event.revision <= job.revision]
    return sorted(events, key=lambda event: event.revision)


def _reached(job: Job) -> dict[Status, datetime]:
    """Return when the job last reached each status, by steps that were not taken back."""
    moves = [event for event in without_steps_back(_past(job)) if event.kind in MOVES]
    return {Status(event.status): event.at for event in moves}


def _is_placed(job: Job) -> bool:
    """Whether the job's dumpster is out; agrees with JobQuerySet.out."""
    if job.kind != ServiceKind.DUMPSTER or job.status not in OPEN:
        return False
    on_site = job.status == Status.ON_SITE
    return on_site or any(event.leaves_site for event in _past(job))


def _price_question(job: Job) -> dict[str, str | None] | None:
    """Return the price that was agreed, and the one that the customer has not yet agreed to."""
    if (question := question_of(job)) is None:
        return None
    return {"from": _price_text(question.before), "to": _price_text(question.price)}


def _price_text(price: Price | None) -> str | None:
    return price_label(price.kind, price.cents, price.upper_cents) if price else None


def _window(job: Job) -> dict[str, str] | None:
    """Return the window, if the crew can still be expected in it."""
    if job.window_start is None or job.window_end is None or is_visit_over(_past(job)):
        return None
    return {"start": moment(job.window_start), "end": moment(job.window_end)}
