"""Text that messages share: times and reasons."""

from datetime import datetime

from django.utils import timezone


def format_time(when: datetime) -> str:
    """Show a moment to the minute in local time, with the name of its zone."""
    return f"{timezone.localtime(when):%Y-%m-%d %H:%M %Z}"


def reason_of(error: BaseException) -> str:
    """Say what went wrong, to stand in a sentence."""
    return str(error).rstrip(".") or "interrupted"
