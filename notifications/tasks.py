"""Background work of notifications."""

from django.conf import settings
from django.utils import timezone

from notifications import notices, sending, wanted
from notifications.queue import request_sending


def send() -> dict[str, int]:
    """Send what is wanted and due for SEND_SECONDS, and return counts.

    The next task sends what is left.
    """
    wanted.answer(timezone.now())
    done = sending.send_due(seconds=settings.SEND_SECONDS)
    if sending.next_due() is not None:
        request_sending()
    return done


def notice() -> dict[str, int]:
    """Write reminders, and messages of crews that are late; return how many jobs have one."""
    now = timezone.now()
    return {"reminders": notices.remind(now), "late": notices.say_who_is_late(now)}
