"""Which windows are offered. No query reads jobs, so their number does not matter."""

from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from dispatch.days import local_day
from dispatch.models import BookingSettings, ServiceType, ServiceWindow
from dispatch.windows.generate import generate_windows


def free_windows(
    *, service: ServiceType, load_size: str, now: datetime, count: int | None = None
) -> list[ServiceWindow]:
    """Return the windows that a customer can take for this work, the earliest first.

    They start after the lead time and within the horizon. On a fresh installation, whose daily task
    has not run yet, the windows are made first.
    """
    free = bookable(now).filter(taken__lte=F("public_units") - service.units_of(load_size))
    return _found_or_made(free[:count], now)


def free_for_staff(*, units: int, now: datetime, count: int) -> list[ServiceWindow]:
    """Return the next windows with room for so many units, with the reserve.

    On a fresh installation the windows are made first.
    """
    free = ServiceWindow.objects.filter(start__gte=now, taken__lte=F("units") - units)
    free = free.order_by("start", "end")
    return _found_or_made(free[:count], now)


def bookable(now: datetime) -> QuerySet[ServiceWindow]:
    """Return the windows, full or not, at times that customers can book."""
    rules = BookingSettings.load()
    earliest, end = now + timedelta(hours=rules.lead_hours), local_day(now, rules.horizon_days)[1]
    return ServiceWindow.objects.filter(start__gte=earliest, start__lt=end).order_by("start", "end")


def _found_or_made(free: QuerySet[ServiceWindow], now: datetime) -> list[ServiceWindow]:
    found = list(free)
    if not found and not ServiceWindow.objects.filter(start__gte=now).exists():
        generate_windows(now)
        found = list(free.all())
    return found
