"""What follows for the links when a job changes. Called inside the transaction of the change."""

from typing import Any

from django.db.models import QuerySet

from dispatch.models import Job, JobEvent
from tracking.links import first_link
from tracking.models import TrackingLink
from tracking.queue import request_publishing


def on_job_changed(*, job_id: int, event: JobEvent, **kwargs: Any) -> None:
    """Receive dispatch.signals.job_changed: a new job gets its link, another's becomes due."""
    if event.kind == JobEvent.Kind.CREATED:
        first_link(job=event.job, actor=event.actor)
    else:
        TrackingLink.objects.active().filter(job=job_id).mark_due(event.revision)
    request_publishing()


def on_names_changed(*, jobs: QuerySet[Job], **kwargs: Any) -> None:
    """Receive dispatch.signals.names_changed: have the documents of these jobs written again.

    One UPDATE, however many jobs there are. A job's document keeps its revision.
    """
    published = TrackingLink.objects.active().filter(published_revision__isnull=False)
    if published.filter(job__in=jobs).mark_unknown():
        request_publishing()
