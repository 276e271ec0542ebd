"""Why a message is not sent after all. Asked just before sending: much may have happened since."""

from django.conf import settings

from notifications.events import why_outdated
from notifications.kinds import Channel, Event, State
from notifications.models import Message, OptOut
from notifications.wanted import CUSTOMER

# The consent that customers give says so (dispatch/consent.py).
MAX_TEXTS = 10
WANTED_USED_UP = "This job's link was sent as a text message often enough."
OPTED_OUT = "The customer answered STOP."
# Of these, so many may be asked for: anyone who knows the customer's phone number can.
MAX_WANTED_TEXTS = 3
TEXTS_USED_UP = f"This job has had {MAX_TEXTS} text messages, as many as the customer agreed to."
NO_EMAIL = "Email is not set up: EMAIL_URL is empty."


def why_not(message: Message) -> str:
    """Return why a message must not be sent, or ""."""
    if message.channel == Channel.SMS:
        reason = _why_no_text(message)
    else:
        reason = "" if settings.EMAIL_URL or settings.EMAIL_BACKEND_NAMED else NO_EMAIL
    if reason or message.again_of_id:
        return reason  # staff sent it again, and know the job
    return why_outdated(Event(message.event), message.key, message.job)


def _why_no_text(message: Message) -> str:
    if OptOut.objects.filter(phone=message.recipient).exists():
        return OPTED_OUT
    texts = Message.objects.filter(job=message.job_id, channel=Channel.SMS)
    used = texts.filter(state__in=[State.SENDING, State.SENT, State.UNKNOWN])
    if used.count() >= MAX_TEXTS:
        return TEXTS_USED_UP
    wanted = {"event": Event.LINK_REQUESTED, "caused_by": CUSTOMER}
    is_wanted = all(getattr(message, name) == value for name, value in wanted.items())
    if is_wanted and used.filter(**wanted).count() >= MAX_WANTED_TEXTS:
        return WANTED_USED_UP
    return ""
