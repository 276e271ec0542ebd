"""The protocol of back ends for text messages, and the one that SMS_BACKEND names."""

import sys
from collections.abc import Callable
from typing import Protocol

from django.conf import settings

from notifications.channels.faults import MessageRefused


class SmsBackend(Protocol):
    """Hands a text message to a service."""

    def send(self, *, to: str, body: str, handing_over: Callable[[], None]) -> None:
        """Send `body` to a number in E.164.

        Raises MessageDelayed, MessageRefused or MessageUncertain.
        """


class ConsoleSms:
    """Prints text messages. For development."""

    def send(self, *, to: str, body: str, handing_over: Callable[[], None]) -> None:
        handing_over()
        sys.stdout.write(f"Text message to {to}: {body}\n")
        sys.stdout.flush()


def sms_backend() -> SmsBackend:
    """Return the back end. Raises MessageRefused if SMS_BACKEND names none."""
    if settings.SMS_BACKEND == "console":
        return ConsoleSms()
    if settings.SMS_BACKEND == "twilio":
        from notifications.channels.twilio import Twilio  # noqa: PLC0415 - it uses the protocol

        return Twilio()
    raise MessageRefused(
        f"Expected SMS_BACKEND to be console or twilio, found '{settings.SMS_BACKEND}'.",
        "Correct it, and send the message again.",
    )
