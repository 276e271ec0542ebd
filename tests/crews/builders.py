"""Builders for the crews' pages."""

from datetime import datetime, time, timedelta
from uuid import uuid4

from django.utils import timezone

from crews.links import ensure_link
from dispatch.models import JobEvent
from tests.builders import make_crew, make_job, make_price


def make_link(crew=None, day=None):
    """Make the link of a crew, of today unless another day is named."""
    crew = crew or make_crew()
    return ensure_link(crew=crew, day=day or timezone.localdate(), actor="dana")


def at_noon(day):
    return timezone.make_aware(datetime.combine(day, time(12)))


def make_stop(link, *, priced=True, **kwargs):
    """Make a job of the link's run, with a window around its noon and an all-in price."""
    noon, hour = at_noon(link.day), timedelta(hours=1)
    planned = {
        "crew": link.crew,
        "status": "scheduled",
        "window_start": noon - hour,
        "window_end": noon + hour,
    }
    job = make_job(**planned | kwargs)
    if priced:
        make_price(job)
    return job


def tap(job, act, **values):
    """Return a tap as a phone sends it."""
    now = timezone.now().isoformat()
    return {"key": str(uuid4()), "act": act, "job": job.pk, "at": now, **values}


def told(job):
    """Return what the job's events say after the first: status, changes, actor, time of the tap."""
    return list(JobEvent.objects.filter(job=job).order_by("pk")[1:])
