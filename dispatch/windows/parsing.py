"""Parse windows and times as people type them: "2026-11-23 9-11", "2026-11-23 1pm-3pm", "9am"."""

import re
from datetime import UTC, date, datetime, time

from django.utils import timezone

from dispatch.errors import ValueRefused

HINT = 'Write it like "2026-11-23 9-11" or "2026-11-23 1pm-3pm".'
CLOCK_HINT = 'Write it like "9am", "9:30 AM" or "14:30".'
# Before this hour, a bare "1-3" more likely means the afternoon.
FIRST_BARE_HOUR = 6
NOON = 12

_HALF = r"\s*([ap]\.?m\b\.?)?"
_CLOCK = rf"(\d{{1,2}})(?::(\d{{2}}))?{_HALF}"
_CLOCK_ALONE = re.compile(
    rf"(\d{{1,2}})(?::(\d{{2}})(?::\d{{2}})?)?{_HALF}", re.IGNORECASE | re.ASCII
)
_WINDOW = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}})\s+{_CLOCK}\s*(?:-|\u2013|to)\s*{_CLOCK}", re.IGNORECASE | re.ASCII
)


def parse_window(text: str) -> tuple[datetime, datetime]:
    """Return the start and end of a window, given in TIME_ZONE. Raises ValueRefused.

    Hours without am or pm are those of a 24-hour clock; a start takes am or pm from its end.
    """
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise _refused(f"Expected a window, found '{text}'.")
    day, hour, minute, half, end_hour, end_minute, end_half = found.groups()
    try:
        on = date.fromisoformat(day)
        end = _at(on, end_hour, end_minute, end_half)
        start = _at(on, hour, minute, half or end_half)
        if end_half and not half and start >= end:  # 11-1pm begins in the morning
            start = _at(on, hour, minute, "am")
    except (ValueError, OverflowError):
        raise _refused(f"There is no such time: '{text}'.") from None
    if not (half or end_half) and int(hour) < FIRST_BARE_HOUR:
        raise _refused(f"'{text}' may be morning or afternoon.")
    if start >= end:
        raise _refused(f"A window must end after it starts, found '{text}'.")
    return start, end


def parse_clock(text: str) -> time:
    """Return the time that "9am", "9:00 AM", "9" or "14:30" means, to the minute.

    Raises ValueRefused; also for "2", which may be morning or afternoon.
    """
    found = _CLOCK_ALONE.fullmatch(text.strip())
    if found is None:
        raise ValueRefused(f"Expected a time, found '{text}'.", CLOCK_HINT)
    hour, minute, half = found.groups()
    if not half and not hour.startswith("0") and int(hour) < FIRST_BARE_HOUR:
        raise ValueRefused(
            f"'{text}' may be morning or afternoon.", f'Write "{hour}am" or "{hour}pm".'
        )
    try:
        return _time(hour, minute, half)
    except ValueError:
        raise ValueRefused(f"There is no such time: '{text}'.", CLOCK_HINT) from None


def clock(at: time) -> str:
    """Return a time as parse_clock reads it: "9:00 AM"."""
    return f"{at.hour % NOON or NOON}:{at:%M} {'AM' if at.hour < NOON else 'PM'}"


def _time(hour: str, minute: str | None, half: str | None) -> time:
    """Return a time of the day. Raises ValueError."""
    hours = int(hour)
    if half:
        if not 1 <= hours <= NOON:
            raise ValueError(hour)
        hours = hours % NOON + (NOON if half.lower().startswith("p") else 0)
    return time(hours, int(minute or 0))


def _at(day: date, hour: str, minute: str | None, half: str | None) -> datetime:
    """Return a time of that day. Raises ValueError if the day does not have it."""
    zone = timezone.get_current_timezone()
    at = datetime.combine(day, _time(hour, minute, half), zone)
    # The hour that a change to summer time skips does not survive the way to UTC and back.
    if at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at.replace(tzinfo=None):
        raise ValueError(hour)
    return at


def _refused(message: str) -> ValueRefused:
    return ValueRefused(message, HINT, field="window_start")
