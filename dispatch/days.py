"""Calendar days in TIME_ZONE."""

from datetime import datetime, time, timedelta

from django.utils import timezone


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
