"""Django's SMTP back end, which announces the last bytes of a message.

A server takes responsibility for a message when it answers the final dot (RFC 5321, 4.1.1.4), and
discards one whose connection ends before. So the dot is sent by itself, and what has to be written
down before a message can be accepted is written just before it.
"""

import re
import smtplib
from collections.abc import Callable
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangoBackend

READY_FOR_DATA = 354
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)


def _nothing() -> None:
    """Do what a sender does who writes nothing down."""


class _AnnouncesDot:
    """A part of smtplib.SMTP that calls `before_dot` ahead of the end of the data."""

    before_dot: Callable[[], None] = staticmethod(_nothing)

    def data(self: Any, msg: Any) -> tuple[int, bytes]:
        """Send the data as smtplib does, in two parts. Raises smtplib.SMTPDataError."""
        self.putcmd("data")
        code, answer = self.getreply()
        if code != READY_FOR_DATA:
            raise smtplib.SMTPDataError(code, answer)
        body = _LINE_END.sub(b"\r\n", msg.encode("ascii") if isinstance(msg, str) else msg)
        self.send(_DOT.sub(b"..", body) + (b"" if body.endswith(b"\r\n") else b"\r\n"))
        self.before_dot()
        self.send(b".\r\n")
        found: tuple[int, bytes] = self.getreply()
        return found


class _Plain(_AnnouncesDot, smtplib.SMTP):
    pass


class _OverTls(_AnnouncesDot, smtplib.SMTP_SSL):
    pass


class EmailBackend(DjangoBackend):
    """Django's back end. Set `before_dot` before sending."""

    before_dot: Callable[[], None] = staticmethod(_nothing)

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _OverTls if self.use_ssl else _Plain

    def abandon(self) -> None:
        """End the connection without a word: in the middle of data, QUIT would be data too."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def open(self) -> bool | None:
        """Connect. Raises OSError, smtplib.SMTPException."""
        opened = super().open()
        if self.connection is not None:
            self.connection.before_dot = self.before_dot  # type: ignore[attr-defined]
        return opened
