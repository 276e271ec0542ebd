"""Finding a job from the board, among all there are."""

from typing import Any

from django.urls import reverse

from dispatch.days import interval_text
from dispatch.models import Job
from dispatch.search.finding import search_jobs
from dispatch.statuses import Status
from office.board.cards import phone_text

MOST = 20
LONGEST = 100


def found(text: str) -> dict[str, Any]:
    """Return the newest jobs that a text finds; `corrected` is what was looked for instead."""
    query = text.replace("\x00", "").strip()[:LONGEST]
    if not query:
        return {"q": text, "corrected": None, "results": []}
    found = search_jobs(query)
    jobs = found.jobs.select_related("customer")[:MOST]
    meant = ", ".join(word for words in found.corrected.values() for word in words)
    return {"q": text, "corrected": meant or None, "results": [_result(job) for job in jobs]}


def _result(job: Job) -> dict[str, Any]:
    start, end = job.window_start, job.window_end
    return {
        "id": job.pk,
        "number": job.label,
        "name": job.contact_name,
        "phone_text": phone_text(job.customer.e164),
        "address": job.address,
        "status_label": str(Status(job.status).label),
        "window_text": interval_text(start, end) if start and end else "",
        "url": reverse("admin:dispatch_job_change", args=[job.pk]),
    }
