"""Visitors who want their links sent: "send me my link".

What was typed is never stored. Its keyed hash is, with the limits' counts, and a background task
compares it with the customers' (found): so every request does the same work, and neither the answer
nor its time shows whom we know.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from dispatch.limits import DAY, HOUR, Limit, count, hashed, of_address, take_turn
from dispatch.models import RecentAttempt
from tracking.models import TrackingLink
from tracking.signals import links_wanted

PER_ADDRESS_HOUR, PER_ADDRESS_DAY = 5, 20
# Links read at a time.
AT_ONCE = 2_000


@transaction.atomic
def want(*, typed: str, address: str) -> None:
    """Note that a visitor wants the links of a phone in E.164 or an email address.

    `address` is the visitor's IP address, or "". Raises LimitReached.
    """
    take_turn()
    limits = []
    if address:
        source = of_address("want", address)
        limits = [Limit(source, PER_ADDRESS_HOUR, HOUR), Limit(source, PER_ADDRESS_DAY, DAY)]
    count(limits, also=[_waiting(), _source(typed)])
    links_wanted.send(sender=TrackingLink)


def is_any_wanted() -> bool:
    """Whether links were wanted since `found` was last called."""
    return RecentAttempt.objects.filter(source=_waiting()).exists()


def found() -> Iterator[TrackingLink]:
    """Iterate over the links that were wanted since the last call: active, of open jobs.

    Reads the active links of all open jobs. Links of which only the hash is known cannot be sent.
    Call it in a transaction: if that fails, the next call finds the same ones.
    """
    waiting = list(RecentAttempt.objects.filter(source=_waiting()))
    if not waiting:
        return
    wanted = _sources_since(min(row.at for row in waiting))
    RecentAttempt.objects.filter(pk__in=[row.pk for row in waiting]).delete()
    links = TrackingLink.objects.active().filter(job__is_open=True, job__is_probe=False)
    links = links.exclude(token="")
    known = links.values_list("pk", "job__customer__phone", "job__contact_email")
    matching = [
        pk
        for pk, phone, email in known.iterator(AT_ONCE)
        if (phone and _source(phone.as_e164) in wanted) or (email and _source(email) in wanted)
    ]
    yield from links.filter(pk__in=matching).select_related("job__customer")


def _sources_since(at: datetime) -> frozenset[str]:
    rows = RecentAttempt.objects.filter(at__gte=at)
    return frozenset(rows.values_list("source", flat=True))


def _source(typed: str) -> str:
    return hashed("wanted", typed.strip().lower())


def _waiting() -> str:
    """Return the source of the rows that say that links are wanted."""
    return hashed("want", "waiting")
