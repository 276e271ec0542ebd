"""Today at a glance: jobs by status, what is late or unassigned, money agreed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from dispatch.models import Job, dollars
from dispatch.runs import on_day
from dispatch.statuses import FLOW, OPEN, Status


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many of today's jobs have a status; `colour` as unfold names it."""

    label: str
    colour: str
    count: int


@dataclass(frozen=True, slots=True)
class Money:
    """What was agreed for today's jobs: `text`, and for how many none is agreed yet."""

    text: str
    without: int


@dataclass(frozen=True, slots=True)
class Today:
    """The figures of a day. `late` counts jobs of earlier days too."""

    day: date
    jobs: int
    done: int
    late: int
    unassigned: int
    statuses: Sequence[StatusCount]
    money: Money


def jobs_of_today(now: datetime) -> list[Job]:
    """Return the jobs of today's runs, with or without a crew. Two queries."""
    day = timezone.localdate(now)
    return list(on_day(day, today=day).with_related())


def today(jobs: Sequence[Job], now: datetime) -> Today:
    """Return the figures of today's jobs. Takes one query: late jobs may be of other days."""
    return Today(
        day=timezone.localdate(now),
        jobs=len(jobs),
        done=sum(job.status == Status.COMPLETED for job in jobs),
        late=Job.objects.open().late(now).count(),
        unassigned=sum(job.crew_id is None and job.status in OPEN for job in jobs),
        statuses=_statuses(jobs),
        money=_money(jobs),
    )


def _statuses(jobs: Iterable[Job]) -> list[StatusCount]:
    counts = [(status, sum(job.status == status for job in jobs)) for status in Status]
    return [
        StatusCount(str(status.label), FLOW[status].colour, count)
        for status, count in counts
        if count
    ]


def _money(jobs: Iterable[Job]) -> Money:
    agreed = [job.price for job in jobs]
    prices = [price for price in agreed if price is not None]
    low = sum(price.cents for price in prices)
    high = sum(price.upper_cents or price.cents for price in prices)
    text = dollars(low) if low == high else f"{dollars(low)} to {dollars(high)}"
    return Money(text, len(agreed) - len(prices))
