"""Sending a message again, because a person says so: a new message, to today's address."""

from django.db import IntegrityError, transaction

from notifications.errors import NotSentAgain
from notifications.kinds import Channel, Event, State
from notifications.models import Message, OptOut
from notifications.queue import request_sending
from notifications.recording import recipients
from notifications.suppressing import OPTED_OUT

UNDER_WAY = (State.QUEUED, State.SENDING)


@transaction.atomic
def send_again(*, message: Message, actor: str) -> Message:
    """Queue a message once more, with today's text; return the new one. Raises NotSentAgain.

    A message can be sent again once: after that, its successor can.
    """
    channel = Channel(message.channel)
    if message.state in UNDER_WAY:
        raise NotSentAgain(f"{_name(message)} is under way.", "Wait until it has been sent.")
    recipient = recipients(message.job).get(channel)
    if recipient is None:
        raise NotSentAgain(
            f"{_name(message)} cannot be sent: the job has no {_address(channel)}.",
            "Enter an email address, or call the customer.",
        )
    if channel == Channel.SMS and OptOut.objects.filter(phone=recipient).exists():
        raise NotSentAgain(f"{_name(message)} cannot be sent: {OPTED_OUT}", "Call the customer.")
    new = Message(
        job=message.job,
        event=message.event,
        key=f"again {message.pk}",
        channel=channel,
        recipient=recipient,
        language=message.job.language,
        caused_by=actor,
        again_of=message,
    )
    _save(new, message)
    request_sending()
    return new


def _save(new: Message, message: Message) -> None:
    refused = NotSentAgain(
        f"{_name(message)} was already sent again.", "Look at the newer message of the job."
    )
    # The constraint alone would allow a second one after the address was corrected.
    if message.repeats.exists():
        raise refused
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError:
        raise refused from None


def _name(message: Message) -> str:
    return f"“{Event(message.event).label}” for {message.job.label}"


def _address(channel: Channel) -> str:
    return "email address" if channel == Channel.EMAIL else "consent to text messages"
