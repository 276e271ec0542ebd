"""The answers to acts: what was done, or why it was not."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from dispatch.days import interval_text
from dispatch.errors import DispatchError, RunChangedMeanwhile
from dispatch.guards import GuardRefused, Missing
from dispatch.models import Job, JobEvent, ServiceWindow
from dispatch.undoing import may_undo
from dispatch.windows.capacity import WindowFull
from dispatch.windows.offering import free_for_staff
from office.board.asking import BadBody
from office.board.cards import card_of, local_iso, units_of
from office.board.words import listed, said
from tracking.errors import TrackingError

OFFERED = 5
BAD_REQUEST, NOT_FOUND, CONFLICT, REFUSED = 400, 404, 409, 422
# What the board has to enter what a job lacks; the guards' own hints are about other pages.
HINTS = {
    "on-hold": "End the hold first.",
    "no-window": "Choose a window.",
    "window-over": "Choose a later window.",
    "other-day": "Choose a window today, or give a reason.",
    "no-crew": "Assign a crew.",
    "no-price": "Enter a price.",
    "no-final-price": "Enter an all-in price.",
}


def done(job: Job | None, day: date, event: JobEvent | None, message: str) -> HttpResponse:
    """Answer an act that was done; `event` is the one that it wrote."""
    now = timezone.now()
    return JsonResponse(
        {
            "card": card_of(job.pk, day=day, now=now) if job else None,
            "undo": {"job": event.job_id, "revision": event.revision}
            if event and may_undo(event, now)
            else None,
            "message": said(event) if event else message,
        }
    )


def bad(refusal: BadBody) -> HttpResponse:
    """Answer a body that is not as it should be."""
    return JsonResponse(
        {"code": "bad-body", "error": refusal.error, "hint": refusal.hint}, status=BAD_REQUEST
    )


def not_found() -> HttpResponse:
    """Answer an act on a job that does not exist."""
    text = {"error": "There is no such job.", "hint": "Reload the page."}
    return JsonResponse({"code": "job-unknown", **text}, status=NOT_FOUND)


def conflict(job: Job, day: date, seen: int) -> HttpResponse:
    """Answer that others changed the job after the revision that was seen: who, and what."""
    events = list(JobEvent.objects.filter(job=job, revision__gt=seen).order_by("pk"))
    by = events[-1].actor if events else ""
    return JsonResponse(
        {
            "code": "job-changed",
            "error": f"{by or 'Another change'} was faster: {job.label} has changed.",
            "hint": "Check the job as it is now, then repeat your change if it still applies.",
            "by": by,
            "changes": listed(events),
            "card": card_of(job.pk, day=day, now=timezone.now()),
        },
        status=CONFLICT,
    )


def run_conflict(job: Job, day: date, refusal: RunChangedMeanwhile, by: str) -> HttpResponse:
    """Answer that another dispatcher changed the order of the run."""
    order = {"field": "order", "label": "order", "before": "", "after": "", "actor": by}
    return JsonResponse(
        {
            "code": refusal.code,
            "error": refusal.message,
            "hint": refusal.hint,
            "by": by,
            "changes": [order],
            "card": card_of(job.pk, day=day, now=timezone.now()),
        },
        status=CONFLICT,
    )


def refused(job: Job | None, refusal: DispatchError | TrackingError) -> HttpResponse:
    """Answer that the job, the flow or the window does not allow it, with what would help."""
    missing = refusal.missing if isinstance(refusal, GuardRefused) else ()
    error, hint = refusal.message, refusal.hint
    if missing:
        error = " ".join(one.message for one in missing)
        hint = " ".join(HINTS.get(one.code, one.hint) for one in missing)
    return JsonResponse(
        {
            "code": refusal.code,
            "error": error,
            "hint": hint,
            "field": missing[0].field if missing else getattr(refusal, "field", ""),
            "missing": [_lacked(one) for one in missing],
            "windows": shown_windows(_windows(job, refusal, missing)),
        },
        status=REFUSED,
    )


def shown_windows(windows: Iterable[ServiceWindow]) -> list[dict[str, Any]]:
    """Return windows to choose from."""
    return [
        {
            "id": one.pk,
            "start": local_iso(one.start),
            "end": local_iso(one.end),
            "text": interval_text(one.start, one.end),
        }
        for one in windows
    ]


def free_windows(job: Job, count: int = OFFERED) -> list[ServiceWindow]:
    """Return the next windows with room for the job."""
    return free_for_staff(units=units_of(job), now=timezone.now(), count=count)


def _lacked(one: Missing) -> dict[str, str]:
    hint = HINTS.get(one.code, one.hint)
    return {"code": one.code, "message": one.message, "hint": hint, "field": one.field}


def _windows(
    job: Job | None, refusal: Exception, missing: Sequence[Missing]
) -> list[ServiceWindow]:
    if isinstance(refusal, WindowFull):
        return refusal.alternatives
    lacks_window = any(one.field == "window_start" for one in missing)
    return free_windows(job) if job and lacks_window else []
