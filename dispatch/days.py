"""Calendar days in TIME_ZONE."""

from datetime import datetime, time, timedelta

from django.utils import timezone
from django.utils.formats import date_format

# No promise is longer, so a search for the windows of a day need not look back any further.
LONGEST_WINDOW = timedelta(days=7)


def local_day(now: datetime, days: int = 0) -> tuple[datetime, datetime]:
    """Return the start and end of the local day `days` after `now`, as a half-open interval.

    Days with a clock change have 23 or 25 hours, so both ends come from the calendar.
    """
    day = timezone.localtime(now).date() + timedelta(days=days)
    zone = timezone.get_current_timezone()
    return (
        datetime.combine(day, time.min, zone),
        datetime.combine(day + timedelta(days=1), time.min, zone),
    )


def interval_text(start: datetime, end: datetime) -> str:
    """Format an interval for staff, like "Fri Nov 20, 1 p.m. to 3 p.m."."""
    first, last = timezone.localtime(start), timezone.localtime(end)
    until = date_format(last, "P" if first.date() == last.date() else "D M j, P")
    return f"{date_format(first, 'D M j, P')} to {until}"
