"""Doing once what a customer's form asks for, even if it arrives twice or at the same time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dispatch.customer_actions.rules import Action, refusal_of
from dispatch.customer_actions.windows import window_taken
from dispatch.errors import ActionRefused, JobChangedMeanwhile
from dispatch.models import Job, JobEvent
from dispatch.once import do_once
from dispatch.windows.capacity import WindowFull

ACTOR = "customer"
ATTEMPTS = 3
MOST_A_DAY = 30
Write = Callable[[Job, datetime], None]


class TooManyActions(ActionRefused):
    """The customer has changed this job very often today. Each change may send a message."""

    code = "too-many-actions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form that was sent: its key, and the revision of the job that its page showed.

    With None for the revision, the form fits the job however it has changed.
    """

    key: UUID
    revision: int | None = None


def act(*, job: Job, action: Action, sent: Sent, write: Write) -> JobEvent:
    """Have `write` change the job with the form's key, and return that event.

    A key that was used before leads to the first event, and nothing else happens. `write` gets the
    job as it is now. Raises ActionRefused, JobChangedMeanwhile (the page is stale), WindowFull, or
    what `write` raises.
    """
    try:
        event = do_once(job=job, key=sent.key, do=lambda: _try(job, action, sent, write))
    except WindowFull as error:
        raise window_taken(_read(job), timezone.now()) from error
    if event is None:
        raise AssertionError(f"The action {action} wrote no event.")
    return event


def _try(job: Job, action: Action, sent: Sent, write: Write) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _write(job, action, sent, write)
        except JobChangedMeanwhile:
            if sent.revision is not None or attempt == ATTEMPTS:
                raise _outdated() from None
        else:
            return


@transaction.atomic
def _write(job: Job, action: Action, sent: Sent, write: Write) -> None:
    now = timezone.now()
    job = _read(job)
    if sent.revision not in (None, job.revision):
        raise _outdated()
    if refused := refusal_of(action, job, now):
        raise refused
    _check_number(job, now)
    write(job, now)


def _read(job: Job) -> Job:
    found: Job = Job.with_probes.select_related("customer", "service", "crew").get(pk=job.pk)
    return found


def _check_number(job: Job, now: datetime) -> None:
    recent = JobEvent.objects.filter(job=job, actor=ACTOR, at__gt=now - timedelta(days=1))
    if recent.count() >= MOST_A_DAY:
        raise TooManyActions(
            _("You have changed this job very often today, so this was not saved."),
            _("Call us, and we change it for you."),
        )


def _outdated() -> JobChangedMeanwhile:
    return JobChangedMeanwhile(
        _("Your job has changed since you opened this page, so nothing was saved."),
        _("Check it, then send again."),
    )
