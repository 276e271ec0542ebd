"""Keeping tokens out of logs, so that a log does not give access to customers' jobs.

Tokens of a former system may hold anything: spaces, commas, slashes, quotes. So what follows the
beginning of a link is hidden up to the end of its line, or to the protocol of a request line.
"""

import logging
import re
from typing import Any

_formatter = logging.Formatter()
_SLASH = "(?:/|%(?:25)*2f)"  # as typed, or encoded within another address
_EQUALS = "(?:=|%(?:25)*3d)"
# What comes before a token: in a path (/t/..., /track/..., /track-staging/..., /crew/..., but not
# the admin's /dispatch/crew/...), in the query of an old or pasted link, in the edge function's
# header, in what Python shows of the arguments of a view or of a URL, and in PostgreSQL's messages.
_BEFORE = re.compile(
    rf"{_SLASH}(?:t|track|track-[\w-]+|(?<!dispatch/)(?<!dispatch%2f)crew){_SLASH}"
    r"(?!\?(?:token|t|link)=)"
    rf"|(?:[?&]|%(?:25)*(?:3f|26))(?:token|t|link){_EQUALS}"
    r"|x[-_]tracking[-_]token['\"]?\s*[:=,]\s*"
    r"|['\"](?:token|t|link)['\"]\s*:\s*"
    r"|\(token\)=\(|Failing row contains \(",
    re.IGNORECASE,
)
_AFTER = re.compile(r" HTTP/[0-9.]+")
TOKEN = "[token]"  # noqa: S105


def redact(text: str) -> str:
    """Return the text with what may be the token of a tracking link replaced."""
    if not _BEFORE.search(text):
        return text
    return "\n".join(map(_redact_line, text.split("\n")))


def _redact_line(line: str) -> str:
    found = _BEFORE.search(line)
    if not found:
        return line
    token, rest = line[found.end() :], ""
    if token.startswith(TOKEN):  # was replaced in an argument of the message
        token, rest = TOKEN, token.removeprefix(TOKEN)
    elif protocol := _AFTER.search(token):
        token, rest = TOKEN, token[protocol.start() :]
    hidden = TOKEN if token else ""
    return line[: found.end()] + hidden + _redact_line(rest)


class RedactTokens(logging.Filter):
    """Removes tokens from every record. For handlers, which see the records of all loggers."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            # One by one, so that what follows a link in the message stays.
            record.args = tuple(map(_redact_argument, record.args))
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            # The arguments contain the token too, and another handler may format them.
            record.msg, record.args = redacted, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _redact_argument(argument: Any) -> Any:
    """Return the argument, or its redacted text if that differs."""
    if isinstance(argument, int | float):
        return argument
    text = str(argument)
    redacted = redact(text)
    return argument if redacted == text else redacted
