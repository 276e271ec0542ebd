"""Texts for times, in the firm's time zone, as customers read them in the language that is active.

A text may begin with a small letter: in Spanish days do.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

DASH = "\N{EN DASH}"
NEAR_DAYS = {
    -1: gettext_lazy("Yesterday"),
    0: gettext_lazy("Today"),
    1: gettext_lazy("Tomorrow"),
}
NOON = 12


def interval_text(start: datetime, end: datetime, now: datetime) -> str:
    """Format an interval like "Today, 9:00 - 11:00 AM", with an en dash.

    An interval that ends on another day shows both days: a dumpster's may span a week.
    """
    if day_text(start, now) != day_text(end, now):
        return f"{moment_text(start, now)} {DASH} {moment_text(end, now)}"
    same_half = _is_morning(start) == _is_morning(end)
    return _("%(day)s, %(begins)s – %(ends)s") % {  # noqa: RUF001 - a dash, as in DASH
        "day": day_text(start, now),
        "begins": _time(start) if same_half else clock_text(start),
        "ends": clock_text(end),
    }


def moment_text(at: datetime, now: datetime) -> str:
    """Format a time with its day, like "Yesterday, 4:05 PM"."""
    return f"{day_text(at, now)}, {clock_text(at)}"


def day_text(at: datetime, now: datetime) -> str:
    """Format a day in the firm's time zone, like "Today" or "Saturday, Nov 21"."""
    day = timezone.localtime(at).date()
    away = (day - timezone.localtime(now).date()).days
    # Translators: a format of a day, as Django's filter `date` reads it.
    return str(NEAR_DAYS[away]) if away in NEAR_DAYS else date_format(day, _("l, M j"))


def clock_text(at: datetime) -> str:
    """Format a time in the firm's time zone, like "9:00 AM"."""
    text = _("%(time)s AM") if _is_morning(at) else _("%(time)s PM")
    return text % {"time": _time(at)}


def _time(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{local.hour % NOON or NOON}:{local:%M}"


def _is_morning(at: datetime) -> bool:
    return timezone.localtime(at).hour < NOON
