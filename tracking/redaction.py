"""Keeping tokens out of logs: whoever reads a log must not be able to open a customer's job."""

import logging
import re

_formatter = logging.Formatter()
# In a path (/t/..., /track/..., /track-staging/...) or in the query of an old or pasted link.
IN_PATH = re.compile(r"(/(?:t|track|track-[\w-]+)/)[^/?\s\"'<>&#,;)\]]+")
IN_QUERY = re.compile(r"([?&](?:token|t|link)=)[^&\s\"'<>#]+")
HIDDEN = r"\1[token]"


def redact(text: str) -> str:
    """Give the text with every token of a tracking link replaced."""
    return IN_QUERY.sub(HIDDEN, IN_PATH.sub(HIDDEN, text))


class RedactTokens(logging.Filter):
    """Passes every record, without tokens: for handlers, so that records of all loggers pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            # The arguments hold the token too, and a later handler may look at them.
            record.msg, record.args = redacted, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
