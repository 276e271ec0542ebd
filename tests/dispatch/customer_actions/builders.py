"""Jobs that their customers change, at a fixed time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from dispatch.customer_actions.acting import Sent
from dispatch.models import JobEvent, ServiceWindow
from dispatch.statuses import Status
from tests.builders import make_job, make_window

NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def sent(job, **kwargs):
    """Make what a page of the job as it is now sends."""
    return Sent(**{"key": uuid4(), "revision": job.revision, **kwargs})


def make_held_job(window, *, units=2, **kwargs):
    """Make a scheduled job that holds a window, as the count says."""
    ServiceWindow.objects.filter(pk=window.pk).update(taken=window.taken + units)
    window.refresh_from_db()
    times = {"window_start": window.start, "window_end": window.end}
    values = {"status": Status.SCHEDULED, **times, "window": window, "window_units": units}
    return make_job(**{**values, **kwargs})


def make_placed_job(**kwargs):
    """Make a job whose dumpster is on site."""
    return make_job(service="dumpster-10", status=Status.ON_SITE, **kwargs)


def make_windows(*days, **kwargs):
    """Make windows that many days from now."""
    return [make_window(NOW + day * DAY, **kwargs) for day in days]


def own_events(job):
    """Return what the customer did, the oldest first."""
    return list(JobEvent.objects.filter(job=job, actor="customer"))
