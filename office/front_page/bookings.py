"""The latest bookings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.days import local_day
from dispatch.models import Job
from dispatch.statuses import FLOW, Status

# So many of the latest numbers are looked at, and so many bookings are shown.
LATEST, SHOWN = 100, 3


@dataclass(frozen=True, slots=True)
class Booking:
    """A new job with the colour of its status, as unfold names it."""

    job: Job
    status: str
    colour: str


@dataclass(frozen=True, slots=True)
class Bookings:
    """The jobs booked since yesterday. `count` is exact unless `is_more`: then there are more."""

    count: int
    is_more: bool
    shown: Sequence[Booking]


def new_bookings(now: datetime) -> Bookings:
    """Return the jobs booked since yesterday's start, newest first. One query.

    Numbers grow with time, so those of the latest are looked at: bookings have no index by time.
    """
    since, _ = local_day(now, -1)
    latest = Job.objects.select_related("service").order_by("-number")[:LATEST]
    new = [job for job in latest if job.created_at >= since]
    return Bookings(len(new), len(new) == LATEST, [_booking(job) for job in new[:SHOWN]])


def _booking(job: Job) -> Booking:
    status = Status(job.status)
    return Booking(job, str(status.label), FLOW[status].colour)
