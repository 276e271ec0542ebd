"""Quiet hours: text messages wait until morning, in the firm's time zone."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from notifications.kinds import Channel, Event

# The crew is out and the customer waits for it, at any hour.
AT_ANY_HOUR = frozenset({Event.ON_THE_WAY})


def quiet_until(*, event: Event, channel: Channel, now: datetime) -> datetime | None:
    """Return when a message may be sent if it has to wait now, else None."""
    if channel != Channel.SMS or event in AT_ANY_HOUR:
        return None
    begins = time.fromisoformat(settings.SMS_QUIET_FROM)
    ends = time.fromisoformat(settings.SMS_QUIET_UNTIL)
    local = timezone.localtime(now)
    if not _is_within(local.time(), begins, ends):
        return None
    day = local.date() + timedelta(days=local.time() >= ends)
    return datetime.combine(day, ends, timezone.get_current_timezone())


def _is_within(clock: time, begins: time, ends: time) -> bool:
    """Whether a time is in a half-open interval, which may contain midnight."""
    if begins <= ends:
        return begins <= clock < ends
    return clock >= begins or clock < ends
