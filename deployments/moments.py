"""Moments as messages show them."""

from datetime import datetime

from django.utils import timezone


def shown(when: datetime) -> str:
    """Show a moment to the minute in local time, with the name of its zone."""
    return f"{timezone.localtime(when):%Y-%m-%d %H:%M %Z}"
