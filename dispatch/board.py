"""The dispatch board as data: today's jobs by status."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from dispatch.models import Job
from dispatch.statuses import FLOW, Board, Status

VERSION = 1


def board_document(now: datetime) -> dict[str, Any]:
    """Return the board at `now`.

    {"v": 1, "date", "generated_at", "columns": [{"status", "label", "jobs": [card]}]} with a
    column for every status but cancelled, in the order of the flow; see `_card`. Times have
    the offset of TIME_ZONE. Takes two queries, however many jobs there are.
    """
    jobs = list(Job.objects.today(now).with_related().order_by("window_start", "number"))
    return {
        "v": VERSION,
        "date": timezone.localtime(now).date().isoformat(),
        "generated_at": _local_iso(now),
        "columns": [
            {
                "status": status.value,
                "label": status.label,
                "jobs": [_card(job, now) for job in jobs if job.status == status],
            }
            for status in Status
            if FLOW[status].board is not Board.NEVER
        ],
    }


def _card(job: Job, now: datetime) -> dict[str, Any]:
    price = job.price
    return {
        "number": job.label,
        "name": job.contact_name,
        "first_name": job.first_name,
        "town": job.town,
        "service": job.service.name,
        "window": {"start": _local_iso(job.window_start), "end": _local_iso(job.window_end)},
        "crew": job.crew.name if job.crew else None,
        "price": str(price) if price else None,
        "on_hold": job.on_hold,
        "hold_reason": job.hold_reason,
        "late": job.is_late(now),
        "url": reverse("admin:dispatch_job_change", args=[job.pk]),
    }


def _local_iso(at: datetime | None) -> str | None:
    return timezone.localtime(at).isoformat(timespec="seconds") if at else None
