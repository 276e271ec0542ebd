"""Doing once what a form or a tap asks for, even if it arrives twice or at the same time."""

from collections.abc import Callable
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _

from dispatch.errors import DispatchError, JobChangedMeanwhile
from dispatch.models import Job, JobEvent


def do_once(*, job: Job, key: UUID, do: Callable[[], object]) -> JobEvent | None:
    """Have `do` change the job with the key, and return the event; None if it changed nothing.

    A key that was used before leads to the first event, and `do` is not called. `do` is one
    transaction. Raises JobChangedMeanwhile for a key of another job, or what `do` raises.
    """
    if first := event_of(job, key):
        return first
    try:
        do()
    except (DispatchError, IntegrityError):
        # It may have arrived twice at once; the unique key let one through.
        if first := event_of(job, key):
            return first
        raise
    return event_of(job, key)


def event_of(job: Job, key: UUID) -> JobEvent | None:
    """Return the event with a key. Raises JobChangedMeanwhile if it is of another job."""
    event: JobEvent | None = JobEvent.objects.filter(key=key).first()
    if event is not None and event.job_id != job.pk:
        raise JobChangedMeanwhile(
            _("This was sent before for another job, so nothing was saved."),
            _("Open the page of the job again, and repeat it there."),
        )
    return event
