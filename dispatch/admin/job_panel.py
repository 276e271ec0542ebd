"""What the top of the job page shows: who, where, when and the steps to take next."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from dispatch.addresses import map_url
from dispatch.admin.window_choice import hold_text, requested_text
from dispatch.catalogue.pricing import quote_job
from dispatch.days import interval_text
from dispatch.models import Job
from dispatch.next_steps import next_steps
from dispatch.statuses import FLOW, Status
from dispatch.stepping import last_step


def panel_of(job: Job, *, now: datetime, may_change: bool) -> dict[str, Any]:
    """Return what the panel's template needs. Steps are only for those who may change the job."""
    return {
        "job": job,
        "status_colour": FLOW[Status(job.status)].colour,
        "late": job.is_late(now),
        "window_text": _window_text(job),
        "map_url": map_url(job.address),
        "customer_url": reverse("admin:dispatch_customer_change", args=[job.customer_id]),
        "list_url": reverse("admin:dispatch_job_changelist"),
        "may_change": may_change,
        **(_steps(job, now) if may_change else {}),
    }


def _steps(job: Job, now: datetime) -> dict[str, Any]:
    last = last_step(job, now)
    listed = quote_job(job, day=timezone.localdate(now))
    return {
        "takes": hold_text(job),
        "requested": requested_text(job),
        "list_price": f"Price list: {listed or 'to be agreed'}.",
        "steps": next_steps(job, now),
        "may_cancel": Status.CANCELLED in job.next_statuses,
        "back_to": Status(last.changes["status"][0]).label if last else None,
    }


def _window_text(job: Job) -> str:
    if job.window_start is None or job.window_end is None:
        return "No window yet"
    return interval_text(job.window_start, job.window_end)
