"""Making a message's text and handing it to its channel, with the customer's link."""

from collections.abc import Callable
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage

from dispatch.calendars import FILE_NAME, MEDIA_TYPE, calendar_of
from dispatch.models import Job
from notifications.channels.email import send_email
from notifications.channels.sms import sms_backend
from notifications.kinds import Channel, Event
from notifications.models import Message
from notifications.names import LINK, fill
from notifications.rendering import firm_phone, render, text_for
from tracking.links import ensure_first_link, tracking_url

WITH_CALENDAR = frozenset({Event.SCHEDULED, Event.RESCHEDULED, Event.CANCELLED})
Call = Callable[[], None]


def compose(message: Message) -> None:
    """Set the message's subject and body, unless an earlier attempt or message has set them."""
    if message.body:
        return
    event, channel = Event(message.event), Channel(message.channel)
    text = text_for(event, channel, message.language)
    made = render(text, job=message.job, channel=channel, language=message.language)
    message.subject, message.body = made.subject[:200], made.body


def deliver(message: Message, *, handing_over: Call, accepted: Call) -> None:
    """Hand a composed message over. Raises MessageDelayed, MessageRefused or MessageUncertain."""
    url = _link_of(message.job)
    # A customer whose link was revoked still has someone to ask.
    body = fill(message.body, {LINK: url or firm_phone()})
    if message.channel == Channel.SMS:
        sms_backend().send(to=message.recipient, body=body, handing_over=handing_over)
        accepted()
    else:
        send_email(_email(message, body, url), handing_over=handing_over, accepted=accepted)


def _link_of(job: Job) -> str:
    link = ensure_first_link(job=job, actor="system")
    return tracking_url(link) if link and link.token else ""


def _email(message: Message, body: str, url: str) -> EmailMessage:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    email = EmailMessage(
        subject=message.subject,
        body=body,
        to=[message.recipient],
        headers={
            # The same at every attempt, so that a server can recognize a second copy.
            "Message-ID": f"<message-{message.pk}-{message.created_at:%Y%m%d%H%M%S}@{domain}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    if message.event in WITH_CALENDAR and message.job.window_start is not None:
        email.attach(FILE_NAME, calendar_of(message.job, url=url).decode(), MEDIA_TYPE)
    return email
