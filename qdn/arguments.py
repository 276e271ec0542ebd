"""Types of command arguments: counts, durations, times, reasons, paths; and what jobs need.

Each type raises ArgumentTypeError for text it cannot read, so argparse rejects it before anything
runs.
"""

import math
import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

MAX_REASON_LENGTH = 300  # characters, as the history keeps them
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def row_count(text: str) -> int:
    """Parse the number of rows to list, 1 to 999,999."""
    if not re.fullmatch("0*[1-9][0-9]{0,5}", text, re.ASCII):
        raise ArgumentTypeError(f"{text!r} is not a number of rows; use 1 to 999999")
    return int(text)


def source_path(text: str) -> Path:
    """Parse a path. An empty one, as from an unset shell variable, would mean `.`."""
    if not text.strip():
        raise ArgumentTypeError("the path is empty; use a folder ('.' for this one) or an archive")
    return Path(text)


def reason(text: str) -> str:
    """Parse a text for the history, which keeps 300 characters."""
    try:
        text.encode()
    except UnicodeEncodeError as error:  # how Python reads bytes of another encoding
        raise ArgumentTypeError("the text is not valid UTF-8") from error
    if len(text) > MAX_REASON_LENGTH:
        raise ArgumentTypeError(
            f"the text has {len(text)} characters, and the history keeps {MAX_REASON_LENGTH}; "
            "shorten it, or link to the details"
        )
    return text


def add_supplies(parser: ArgumentParser) -> None:
    """Add what supplies or overrides a job's needs; the texts go to dispatch.supplies."""
    parser.add_argument("--window", default="", help='for example "2026-11-23 9-11"')
    parser.add_argument("--crew", default="", metavar="NAME")
    parser.add_argument("--price", default="", help='for example "600 all-in"')
    parser.add_argument(
        "--force", action="store_true", help="go ahead without what is missing; needs --reason"
    )


def duration(text: str) -> timedelta:
    """Parse minutes, hours or days: `30m`, `12h`, `7d`."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if match is None:
        raise ArgumentTypeError(f"{text!r} is not a duration; use 30m, 12h or 7d")
    return int(match[1]) * _UNITS[match[2]]


def seconds(text: str) -> float:
    """Parse how long to wait: `60`, `0.5`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds; use 60, for example")
    return number


def moment(text: str) -> datetime:
    """Parse `2026-11-20 14:00`, `2026-11-20` or ISO 8601; without an offset it is in TIME_ZONE."""
    try:
        when = parse_datetime(text)
        if when is None and (day := parse_date(text)):
            when = datetime.combine(day, time.min)
        if when is not None:
            return _localized(when)
    except (ValueError, OverflowError):  # no such day, or outside the years 1 to 9999 in UTC
        pass
    raise ArgumentTypeError(
        f"{text!r} is not a time; use '2026-11-20 14:00' "
        f"({timezone.get_current_timezone_name()}), or with an offset '2026-11-20T14:00+00:00'"
    )


def _localized(when: datetime) -> datetime:
    """Return an aware time. Raises OverflowError if UTC or local time cannot represent it."""
    aware = when if timezone.is_aware(when) else timezone.make_aware(when)
    timezone.localtime(aware.astimezone(UTC))
    return aware
