"""Sending one email through Django's back end (EMAIL_URL, EMAIL_BACKEND)."""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from notifications.channels.faults import MessageDelayed, MessageRefused, MessageUncertain
from notifications.channels.smtp import EmailBackend

PERMANENT = 500  # replies from here on are permanent (RFC 5321, section 4.2.1)


def send_email(
    email: EmailMessage, *, handing_over: Callable[[], None], accepted: Callable[[], None]
) -> None:
    """Send an email: `handing_over` before the server can accept it, `accepted` once it has.

    Raises MessageDelayed, MessageRefused or MessageUncertain, and what `handing_over` raises.
    """
    connection = get_connection()
    over = _Over(handing_over)
    try:
        with _named_faults(over):
            _send(connection, email, over)
        accepted()
    except BaseException:
        if isinstance(connection, EmailBackend):
            connection.abandon()
        raise
    # Whether the server also says goodbye does not matter.
    with suppress(OSError, smtplib.SMTPException):
        connection.close()


def _send(connection: BaseEmailBackend, email: EmailMessage, over: "_Over") -> None:
    if isinstance(connection, EmailBackend):
        connection.before_dot = over
        connection.open()
    else:
        connection.open()
        over()
    connection.send_messages([email])  # does not close a connection that was open


class _Over:
    """Calls what writes the handing over down, and remembers that it has."""

    def __init__(self, handing_over: Callable[[], None]) -> None:
        self._handing_over = handing_over
        self.happened = False

    def __call__(self) -> None:
        self._handing_over()
        self.happened = True


@contextmanager
def _named_faults(over: _Over) -> Iterator[None]:
    """Turn a fault into the one that says what it means for the message."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _answered(*next(iter(error.recipients.values()))) from None
    except smtplib.SMTPAuthenticationError as error:
        # A wrong password is the office's fault and not the message's.
        raise MessageDelayed(f"The server refused the login: {error.smtp_code}") from None
    except smtplib.SMTPResponseException as error:
        raise _answered(error.smtp_code, error.smtp_error) from None
    except (OSError, smtplib.SMTPException) as error:  # timeouts and lost connections
        fault = MessageUncertain if over.happened else MessageDelayed
        raise fault(f"{type(error).__name__}: {error}") from None


def _answered(code: int, answer: Any) -> MessageRefused | MessageDelayed | MessageUncertain:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
    if code < 0:  # smtplib's sign of an answer that is none
        return MessageUncertain(f"The server's answer cannot be read: {text}")
    kind = MessageRefused if code >= PERMANENT else MessageDelayed
    return kind(f"The server answered {code} {text}")
