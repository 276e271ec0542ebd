"""Sets of jobs, by what dispatchers call them, and the set that only grows."""

import re
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from django.db import models
from django.db.models import Q
from django.utils import timezone

from dispatch.statuses import NOT_STARTED, OPEN, Status

if TYPE_CHECKING:
    from dispatch.models import Job  # noqa: F401 (ruff does not see it in QuerySet["Job"])

# Fewer digits than this would find half of all phones.
SHORTEST_PHONE_SEARCH = 3
JOB_NUMBER = re.compile(r"(?:QDN-?|#)?(\d{1,9})", re.IGNORECASE | re.ASCII)


def local_day(now: datetime, days: int = 0) -> tuple[datetime, datetime]:
    """Give the half-open interval of the day of `now` (in TIME_ZONE), `days` later.

    Midnight is made from the calendar day, not by adding 24 hours: days with a clock change
    have 23 or 25.
    """
    day = timezone.localtime(now).date() + timedelta(days=days)
    zone = timezone.get_current_timezone()
    return (
        datetime.combine(day, time.min, zone),
        datetime.combine(day + timedelta(days=1), time.min, zone),
    )


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs. Whatever depends on the time takes it as `now`."""

    def open(self) -> "JobQuerySet":
        """Jobs with work still to be done."""
        return self.filter(status__in=OPEN)

    def with_window_in(self, start: datetime, end: datetime) -> "JobQuerySet":
        """Jobs whose service window overlaps the half-open interval."""
        return self.filter(window_start__lt=end, window_end__gt=start)

    def late(self, now: datetime) -> "JobQuerySet":
        """Jobs whose window has passed and whose work has not started."""
        return self.filter(window_end__lte=now, status__in=NOT_STARTED)

    def today(self, now: datetime) -> "JobQuerySet":
        """What the board shows: today's windows, what is under way, what nobody answered.

        Late jobs of days before stay until somebody reschedules them.
        """
        start, end = local_day(now)
        under_way = Q(status__in=[Status.EN_ROUTE, Status.IN_PROGRESS])
        ready = Q(status=Status.READY_FOR_PICKUP, window_start__isnull=True)
        late = Q(window_end__lte=now, status__in=NOT_STARTED)
        window_today = Q(window_start__lt=end, window_end__gt=start)
        unanswered = Q(status=Status.REQUESTED)
        return self.exclude(status=Status.CANCELLED).filter(
            window_today | under_way | ready | late | unanswered
        )

    def with_what_lists_show(self) -> "JobQuerySet":
        """Fetch what a line about a job needs, in a constant number of queries."""
        return self.select_related("customer", "service", "crew").prefetch_related("prices")

    def search(self, text: str) -> "JobQuerySet":
        """Find jobs by number, name, phone (digits in any format) or address.

        Every word of the text has to match something: "mark soderblom", "(907) 555-0142".
        """
        found = self
        for word in text.split():
            found = found.filter(_matches(word))
        return found


def _matches(word: str) -> Q:
    if word.upper().startswith("QDN-") and (number := JOB_NUMBER.fullmatch(word)):
        return Q(number=int(number[1]))
    match = Q()
    for field in ("contact_name", "customer__name", "address_line", "unit", "town"):
        match |= Q(**{f"{field}__icontains": word})
    match |= Q(zip_code__startswith=word)
    digits = re.sub(r"\D", "", word, flags=re.ASCII)
    if number := JOB_NUMBER.fullmatch(word):
        match |= Q(number=int(number[1]))
    if len(digits) >= SHORTEST_PHONE_SEARCH and not re.search(r"[^\d()+.\-]", word):
        match |= Q(customer__phone__contains=digits)
    return match


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete a row of a history."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that are written once: history is corrected by a new row, never by an edit."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed. Write a new row.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never deleted.")
