"""Keeping tokens out of logs, so that a log does not give access to customers' jobs."""

import logging
import re

_formatter = logging.Formatter()
# In a path (/t/..., /track/..., /track-staging/...) or in the query of an old or pasted link.
IN_PATH = re.compile(r"(/(?:t|track|track-[\w-]+)/)[^/?\s\"'<>&#,;)\]]+")
IN_QUERY = re.compile(r"([?&](?:token|t|link)=)[^&\s\"'<>#]+")
HIDDEN = r"\1[token]"


def redact(text: str) -> str:
    """Return the text with the token of every tracking link replaced."""
    return IN_QUERY.sub(HIDDEN, IN_PATH.sub(HIDDEN, text))


class RedactTokens(logging.Filter):
    """Removes tokens from every record. For handlers, which see the records of all loggers."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            # The arguments contain the token too, and another handler may format them.
            record.msg, record.args = redacted, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
