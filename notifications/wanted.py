"""Sending links to those who asked for them: to the addresses of the job, never to a typed one."""

from datetime import datetime, timedelta

from django.db import transaction

from notifications.kinds import Event
from notifications.models import Message
from notifications.recording import record
from tracking.models import TrackingLink
from tracking.wanted import found, is_any_wanted

DAY = timedelta(days=1)
# Messages about a job's link in a day.
MOST_PER_DAY = 6
CUSTOMER = "customer"


def answer(now: datetime) -> int:
    """Write a message for each link that was wanted; return how many links.

    A job's link is sent once in an hour by the clock: the ledger takes a key once.
    """
    return _answer(now) if is_any_wanted() else 0


@transaction.atomic
def _answer(now: datetime) -> int:
    links = [link for link in found() if not _has_enough(link, now)]
    for link in links:
        key = f"wanted {now:%Y-%m-%d %H}"
        record(job=link.job, event=Event.LINK_REQUESTED, key=key, caused_by=CUSTOMER)
    return len(links)


def _has_enough(link: TrackingLink, now: datetime) -> bool:
    sent = Message.objects.filter(
        job=link.job_id,
        event=Event.LINK_REQUESTED,
        caused_by=CUSTOMER,
        created_at__gt=now - DAY,
    )
    return sent.count() >= MOST_PER_DAY
