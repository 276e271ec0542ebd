"""Sending: at most once, and exactly once unless a process ends at the one moment that matters.

A worker claims a queued message with a conditional UPDATE. While the message is `queued`, the
server has nothing that it would keep, so a claim that lapses is given to the next worker. Just
before the last bytes, the worker writes `sending`. It is no longer known then what the server has
until its answer is written down: a message whose worker ended in between becomes `unknown`, and
only a person sends it again.

All times are the database's: several machines send.
"""

import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db.models import F

from edge.database_clock import database_now
from notifications.channels import MessageDelayed, MessageRefused, MessageUncertain
from notifications.composing import compose, deliver
from notifications.errors import NotificationError
from notifications.kinds import Channel, Event, State
from notifications.models import Message
from notifications.quiet import quiet_until
from notifications.suppressing import why_not
from tracking.redaction import redact

# Longer than the task's limit (settings.Q_CLUSTER): a worker is stopped before its claim lapses.
LEASE = timedelta(seconds=settings.SEND_LIMIT_SECONDS + 15)
# How long after each attempt that the server put off; then the message has failed.
DELAYS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480)]
MAX_REMARK = 300
LAPSED = "The worker ended while the server had the message: it may have been delivered."
log = logging.getLogger(__name__)


class ClaimLost(Exception):
    """Another worker has the message, or it was settled."""


class Outcome(Enum):
    """What became of one attempt."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    DELAYED = "delayed"
    LOST = "lost"


def send_due(*, seconds: float | None = None) -> dict[str, int]:
    """Send what is due until nothing is or `seconds` have passed; return counts by outcome."""
    ends = None if seconds is None else time.monotonic() + seconds
    outcomes: Counter[Outcome] = Counter()
    outcomes[Outcome.UNKNOWN] += give_up_lapsed()
    while ends is None or time.monotonic() < ends:
        pk = next_due()
        if pk is None:
            break
        outcomes[send_one(pk)] += 1
    return {outcome.value: outcomes[outcome] for outcome in Outcome}


def next_due() -> int | None:
    """Return the key of the message to send next, or None."""
    due = Message.objects.due(lapsed_before=database_now() - LEASE)
    return due.values_list("pk", flat=True).first()


def give_up_lapsed() -> int:
    """Mark messages whose worker ended while the server had them as unknown; return how many."""
    lapsed = Message.objects.lapsed(lapsed_before=database_now() - LEASE)
    return lapsed.update(state=State.UNKNOWN, error=LAPSED)


def send_one(pk: int) -> Outcome:
    """Send a message if this worker gets it."""
    claim = claim_message(pk)
    if claim is None:
        return Outcome.LOST
    message = Message.objects.select_related("job__service", "job__customer", "job__crew").get(
        pk=pk
    )
    attempt = _Attempt(message, claim)
    try:
        return attempt.run()
    except ClaimLost:
        return Outcome.LOST
    except MessageDelayed as fault:
        return attempt.put_off(fault)
    except MessageRefused as fault:
        return attempt.settle(Outcome.FAILED, fault)
    except MessageUncertain as fault:
        return attempt.settle(Outcome.UNKNOWN, fault)


def claim_message(pk: int) -> datetime | None:
    """Claim a due message and return the claim, or None if another worker has it."""
    now = database_now()
    due = Message.objects.due(lapsed_before=now - LEASE).order_by().filter(pk=pk)
    return now if due.update(claimed_at=now, attempts=F("attempts") + 1) else None


class _Attempt:
    """One worker's attempt to send one message. Each of its writes requires its claim."""

    def __init__(self, message: Message, claim: datetime) -> None:
        self.message = message
        self.claim = claim

    def run(self) -> Outcome:
        """Send the message, unless it must not be or has to wait."""
        message = self.message
        if reason := why_not(message):
            return self.settle(Outcome.SUPPRESSED, NotificationError(reason))
        event, channel = Event(message.event), Channel(message.channel)
        if until := quiet_until(event=event, channel=channel, now=self.claim):
            self._write(claimed_at=None, not_before=until, attempts=F("attempts") - 1)
            return Outcome.DELAYED
        if message.attempts > len(DELAYS):
            raise MessageRefused(message.error or "Its workers ended before they could send it.")
        compose(message)
        self._write(subject=message.subject, body=message.body)
        deliver(message, handing_over=self._hand_over, accepted=self._accepted)
        return Outcome.SENT

    def settle(self, outcome: Outcome, fault: NotificationError) -> Outcome:
        """Write the end of the message down."""
        self._write(state=State(outcome.value), error=_remark(fault))
        if outcome is not Outcome.SUPPRESSED:
            log.warning("%s is %s: %s", self.message, outcome.value, _remark(fault))
        return outcome

    def put_off(self, fault: MessageDelayed) -> Outcome:
        """Queue the message for a later attempt, or give it up."""
        made = self.message.attempts
        if made > len(DELAYS):
            return self.settle(Outcome.FAILED, fault)
        later = self.claim + DELAYS[made - 1]
        self._write(state=State.QUEUED, claimed_at=None, not_before=later, error=_remark(fault))
        log.warning("%s will be tried again: %s", self.message, _remark(fault))
        return Outcome.DELAYED

    def _hand_over(self) -> None:
        """Write down that the server may have the message from now on. Raises ClaimLost."""
        now = database_now()
        mine = Message.objects.filter(pk=self.message.pk, claimed_at=self.claim, state=State.QUEUED)
        if not mine.update(state=State.SENDING, claimed_at=now):
            raise ClaimLost
        self.claim = now

    def _accepted(self) -> None:
        """Write down that the server has it: even if it was given up in the meantime."""
        self._write(state=State.SENT, sent_at=database_now(), error="")

    def _write(self, **values: Any) -> None:
        mine = Message.objects.filter(pk=self.message.pk, claimed_at=self.claim)
        if not mine.update(**values):
            raise ClaimLost


def _remark(fault: NotificationError) -> str:
    """Return the fault as it is kept: servers may quote what they were sent."""
    return redact(" ".join(str(fault).split()))[:MAX_REMARK]
