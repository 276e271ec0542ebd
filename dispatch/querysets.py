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
WHOLE_PHONE = 7
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

    def unassigned(self) -> "JobQuerySet":
        """Open jobs with a window and nobody to go."""
        return self.open().filter(crew__isnull=True, window_start__isnull=False)

    def without_price(self) -> "JobQuerySet":
        """Open jobs whose customer was told no price yet."""
        return self.open().filter(prices__isnull=True)

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
        every_word = Q()
        for word in text.split():
            every_word &= _matches(word)
        digits = phone_digits(text)
        if len(digits) >= WHOLE_PHONE:  # "+1 907 555 0142": words of one number
            return self.filter(every_word | Q(customer__phone__contains=digits))
        return self.filter(every_word)


def _matches(word: str) -> Q:
    number = JOB_NUMBER.fullmatch(word)
    if number and word.upper().startswith("QDN"):
        return Q(number=int(number[1]))
    match = Q(zip_code__startswith=word)
    for field in ("contact_name", "customer__name", "address_line", "unit", "town"):
        match |= Q(**{f"{field}__icontains": word})
    if number:
        match |= Q(number=int(number[1]))
    if len(digits := phone_digits(word)) >= SHORTEST_PHONE_SEARCH:
        match |= Q(customer__phone__contains=digits)
    return match


def phone_digits(text: str) -> str:
    """Give the digits of what may be a phone, or part of one; "" for other text."""
    if re.search(r"[^\d\s()+.\-]", text, flags=re.ASCII):
        return ""
    return re.sub(r"\D", "", text, flags=re.ASCII)


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete a row of a history."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that are written once: history is corrected by a new row, never by an edit."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed. Write a new row.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never deleted.")
