"""Writing messages into the ledger, in the transaction of what they are about.

A message says what is to be sent; its text is made when it is sent, so this costs one INSERT. The
unique constraint makes a change that arrives twice one message. A later change replaces what has
not been sent, so that several changes at once lead to one message.
"""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from dispatch.models import Job, JobEvent, TextConsent
from notifications.events import NOT_ON_THE_WAY, REPLACES, Change, event_of, key_of
from notifications.kinds import Channel, Event, State
from notifications.models import Message
from notifications.queue import request_sending
from tracking.models import TrackingLink

REPLACED = "Replaced by a newer message."
NO_ADDRESS = "No email address, and no consent to text messages: call the customer."


def on_job_changed(*, event: JobEvent, quiet: bool = False, **kwargs: Any) -> None:
    """Receive dispatch.signals.job_changed inside the transaction of the change."""
    if quiet:
        return
    change = Change(event, event.job)
    happened = event_of(change)
    if happened is not None:
        key = key_of(happened, change)
        record(job=event.job, event=happened, key=key, caused_by=event.actor)


def on_link_replaced(*, link: TrackingLink, actor: str, **kwargs: Any) -> None:
    """Receive tracking.signals.link_replaced inside the transaction of the change."""
    record(job=link.job, event=Event.LINK_REPLACED, key=f"link {link.pk}", caused_by=actor)


def on_link_resent(*, link: TrackingLink, actor: str, **kwargs: Any) -> bool:
    """Receive tracking.signals.link_resent; return whether the customer can be reached.

    Pressed twice within a minute, a button sends one message.
    """
    key = f"office {timezone.now():%Y-%m-%d %H:%M}"
    return record(job=link.job, event=Event.LINK_REQUESTED, key=key, caused_by=actor)


def on_links_wanted(**kwargs: Any) -> None:
    """Receive tracking.signals.links_wanted: the task that sends finds out whose (wanted.py)."""
    request_sending()


def record(*, job: Job, event: Event, key: str, caused_by: str) -> bool:
    """Write a message for each of the customer's channels, unless it exists already.

    Returns whether the customer has a channel; a probe has no customer. The caller has a
    transaction, if it changes anything itself.
    """
    if job.is_probe:
        return False
    common = {"job": job, "key": key, "language": job.language, "caused_by": caused_by}
    messages = [
        Message(
            event=_replace_waiting(job=job, event=event, key=key, channel=channel),
            channel=channel,
            recipient=recipient,
            **common,
        )
        for channel, recipient in recipients(job).items()
    ]
    reachable = bool(messages)
    if reachable:
        request_sending()
    else:
        silent = {"state": State.SUPPRESSED, "error": NO_ADDRESS}
        messages = [Message(event=event, channel=Channel.EMAIL, **silent, **common)]
    if event == Event.ON_THE_WAY:
        _forget_turned_back(job, key)
    Message.objects.bulk_create(messages, ignore_conflicts=True)
    return reachable


def _forget_turned_back(job: Job, key: str) -> None:
    """Have a crew announced that turned back before anyone heard of it, and now leaves again."""
    same = Message.objects.filter(job=job, event=Event.ON_THE_WAY, key=key, again_of=None)
    unheard = same.filter(state=State.SUPPRESSED, error=NOT_ON_THE_WAY)
    unheard.update(state=State.QUEUED, error="", claimed_at=None, not_before=Now())


def recipients(job: Job) -> dict[Channel, str]:
    """Return the channels that reach the customer, with the address: text only with consent."""
    found = {}
    if job.contact_email:
        found[Channel.EMAIL] = job.contact_email
    if settings.SMS_BACKEND and job.customer.phone and _has_consent(job):
        found[Channel.SMS] = job.customer.e164
    return found


def _has_consent(job: Job) -> bool:
    known = job._state.fields_cache.get("text_consent")
    return known is not None or TextConsent.objects.filter(job=job).exists()


def _replace_waiting(*, job: Job, event: Event, key: str, channel: Channel) -> Event:
    """Suppress what waits and is no longer worth saying; return the event as it is now.

    To a customer who has not heard of the first window, a changed one is the first.
    """
    replaced = REPLACES.get(event)
    if not replaced or job.revision == 1:  # a new job has no other messages
        return event
    messages = Message.objects.filter(job=job, channel=channel)
    unclaimed = Q(state=State.QUEUED, claimed_at=None, again_of=None)
    if event == Event.RESCHEDULED:
        first = messages.filter(unclaimed | Q(key=key), event=Event.SCHEDULED)
        event = Event.SCHEDULED if first.exists() else event
    others = messages.filter(unclaimed, event__in=replaced).exclude(event=event, key=key)
    others.update(state=State.SUPPRESSED, error=REPLACED)
    return event
