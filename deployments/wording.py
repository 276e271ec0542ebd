"""Text that messages share: times, reasons and counts."""

from datetime import datetime

from django.utils import timezone


def format_time(when: datetime) -> str:
    """Return a moment to the minute in local time, with the name of its zone."""
    return f"{timezone.localtime(when):%Y-%m-%d %H:%M %Z}"


def reason_of(error: BaseException) -> str:
    """Return what went wrong, for use within a sentence."""
    return str(error).rstrip(".") or "interrupted"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun: `1 file`, `1,204 files`. `nouns` is for irregular plurals."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
