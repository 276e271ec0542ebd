"""The jobs that a board of a day shows, and the column of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import QuerySet
from django.utils import timezone

from dispatch.models import Job, JobEvent
from dispatch.runs import bounds, on_day
from dispatch.statuses import Status
from dispatch.visits import UNDER_WAY
from office.board.cards import with_card

UNASSIGNED, OUT, DONE = "unassigned", "out", "done"
YEARS = range(2000, 2100)


def parse_day(text: str) -> date | None:
    """Return the day of a text like 2026-11-23, or None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS and day.isoformat() == text else None


def week_of(day: date) -> list[date]:
    """Return the days of a day's week, from Monday."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def crew_column(pk: int) -> str:
    """Return the code of the column of the crew with this key."""
    return f"crew-{pk}"


@dataclass(frozen=True)
class Day:
    """A calendar day in TIME_ZONE, as seen at `now`."""

    day: date
    now: datetime

    @cached_property
    def is_today(self) -> bool:
        return self.day == timezone.localdate(self.now)

    @cached_property
    def bounds(self) -> tuple[datetime, datetime]:
        return bounds(self.day)

    def has(self, job: Job) -> bool:
        """Whether the job is in a run of the day; agrees with dispatch.runs.on_day."""
        start, end = self.bounds
        first, last = job.window_start, job.window_end
        overlaps = first is not None and last is not None and first < end and last > start
        is_under_way = self.is_today and job.status in UNDER_WAY
        return job.status != Status.CANCELLED and (overlaps or is_under_way)

    def column_of(self, job: Job) -> str | None:
        """Return the code of the column of a job from `jobs`; None if it is only in Needs you."""
        if job.status == Status.COMPLETED:
            ended = getattr(job, "ended", False)
            return DONE if ended or self.has(job) else None
        if self.has(job):
            return crew_column(job.crew_id) if job.crew_id else UNASSIGNED
        if getattr(job, "placed_at", None) and job.is_open:
            return OUT
        is_unplanned = job.is_open and job.window_start is None
        return UNASSIGNED if self.is_today and is_unplanned else None

    def jobs(self, others: Iterable[int] = ()) -> list[Job]:
        """Return the jobs that have a column of their own, and those with the keys of `others`.

        Each knows as `ended` whether it was completed on the day. Two queries.
        """
        others, ended = set(others), set(self._endings().values_list("job", flat=True))
        shown = [
            on_day(self.day, today=timezone.localdate(self.now)),
            Job.objects.out(),
            # By keys alone: with the status, SQLite would read all that were ever completed.
            Job.objects.filter(pk__in=others | ended),
        ]
        if self.is_today:
            shown.append(Job.objects.open().filter(window_start__isnull=True))
        first, *rest = [jobs.order_by().values("pk") for jobs in shown]
        # One set of keys: an OR of such sets would have PostgreSQL read all jobs.
        found = with_card(Job.objects.filter(pk__in=first.union(*rest)))
        jobs = list(found.order_by("window_start", "number"))
        for job in jobs:
            job.ended = job.pk in ended  # type: ignore[attr-defined]
        return [job for job in jobs if job.pk in others or self.column_of(job)]

    def _endings(self) -> QuerySet[JobEvent]:
        """Return the events that completed a job on the day."""
        start, end = self.bounds
        kind, status = JobEvent.Kind.STATUS, Status.COMPLETED
        return JobEvent.objects.filter(kind=kind, status=status, at__gte=start, at__lt=end)
