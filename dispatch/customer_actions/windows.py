"""The windows that a customer can choose for a job that exists."""

from datetime import datetime

from django.utils.translation import gettext as _

from dispatch.models import Job, ServiceWindow
from dispatch.times import interval_text
from dispatch.windows.capacity import ALTERNATIVES, WindowFull
from dispatch.windows.offering import free_windows


def windows_for(job: Job, now: datetime, count: int | None = None) -> list[ServiceWindow]:
    """Return the free windows that a customer can take for a job, but not the one that it has."""
    most = None if count is None else count + 1
    free = free_windows(service=job.service, load_size=job.load_size, now=now, count=most)
    return [one for one in free if one.pk != job.window_id][:count]


def chosen_window(job: Job, pk: int, now: datetime) -> ServiceWindow:
    """Return a window by its key. Raises WindowFull if it cannot be taken."""
    for window in windows_for(job, now):
        if window.pk == pk:
            return window
    raise window_taken(job, now)


def window_taken(job: Job, now: datetime) -> WindowFull:
    """Return the refusal of a window, with the next two that are free."""
    others = windows_for(job, now, ALTERNATIVES)
    free = listed(others, now)
    hint = _("Free next: %(times)s.") % {"times": free} if free else _("No other time is free.")
    return WindowFull(
        _("That time is not free any more, so nothing was changed."), hint, alternatives=others
    )


def listed(windows: list[ServiceWindow], now: datetime) -> str:
    """Return windows as customers read them, joined with "or"."""
    return _(" or ").join(interval_text(one.start, one.end, now) for one in windows)
