"""Moments as people write them at a shell: in the time zone of the settings."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime, time

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str) -> datetime:
    """Read `2026-11-20 14:00`, `2026-11-20` or ISO 8601 with an offset.

    Without an offset it is local time (TIME_ZONE). Raises ArgumentTypeError.
    """
    try:
        found = parse_datetime(text)
        if found is None:
            day = parse_date(text)
            found = datetime.combine(day, time.min) if day else None
        found = _placed(found) if found else None
    except (ValueError, OverflowError):  # no such day; or beyond the years 1 to 9999 in UTC
        found = None
    if found is None:
        raise ArgumentTypeError(
            f"{text!r} is no time: expected for example '2026-11-20 14:00' "
            f"({timezone.get_current_timezone_name()}), or with an offset '2026-11-20T14:00+00:00'"
        )
    return found


def _placed(when: datetime) -> datetime:
    """Give a moment its zone. Raises OverflowError where UTC or local time cannot tell it."""
    aware = when if timezone.is_aware(when) else timezone.make_aware(when)
    timezone.localtime(aware.astimezone(UTC))
    return aware
