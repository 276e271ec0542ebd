"""The days that a report is about, in the office's time zone, and their weeks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

WEEK = timedelta(days=7)
DEFAULT_WEEKS = 8
# Two years and a week: more bars are too thin to read.
MOST_DAYS = 2 * 366 + 7
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        """The moment when the first day begins."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The moment when the last day is over. Days of a clock change have 23 or 25 hours."""
        return _midnight(self.last + timedelta(days=1))

    @property
    def weeks(self) -> list[date]:
        """The Mondays of the weeks that the days belong to. The outer weeks may be partial."""
        first, last = monday_of(self.first), monday_of(self.last)
        return [first + WEEK * number for number in range((last - first) // WEEK + 1)]


def latest_weeks(today: date, weeks: int = DEFAULT_WEEKS) -> Period:
    """Return the week of a day, up to that day, and those before it."""
    return Period(monday_of(today) - WEEK * (weeks - 1), today)


def asked_period(query: Mapping[str, str], today: date) -> tuple[Period, str]:
    """Return the period of `from` and `to`, and what is wrong with them, or "".

    Without them, or if something is wrong, it is the latest weeks.
    """
    default = latest_weeks(today)
    texts = query.get("from", "").strip(), query.get("to", "").strip()
    if texts == ("", ""):
        return default, ""
    try:
        last = date.fromisoformat(texts[1]) if texts[1] else today
        first = date.fromisoformat(texts[0]) if texts[0] else latest_weeks(last).first
    except (ValueError, OverflowError):
        return default, "Expected days like 2026-11-20. Showing the latest weeks."
    if not EARLIEST <= first <= last <= today + timedelta(days=366):
        return default, "The first day must be before the last. Showing the latest weeks."
    if (last - first).days >= MOST_DAYS:
        return default, "Choose at most two years. Showing the latest weeks."
    return Period(first, last), ""


def local_date(at: datetime) -> date:
    """Return the office's day of a moment."""
    return timezone.localtime(at).date()


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())
