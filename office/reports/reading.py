"""What the database knows of a period.

Each query starts from the events, or the service windows, of the period, by an index: what a report
costs depends on its days and not on the archive. What an import wrote is left out, for its events
have the time of the import.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from dispatch.importing import IMPORTED
from dispatch.models import Job, JobEvent, Price, ServiceWindow
from dispatch.statuses import NOT_STARTED, Status
from dispatch.visits import VISIT, Failure
from office.reports.periods import Period, local_date

NO_CREW = "No crew"
Amounts = tuple[int, int | None]


@dataclass(frozen=True)
class Happened:
    """Something that happened to a job: on which day, and whose job it was."""

    day: date
    crew: str
    service: str


@dataclass(frozen=True)
class Done(Happened):
    """A completed job. `prices` are the first and the last, as cents and the end of a range."""

    prices: tuple[Amounts, Amounts] | None
    on_time: bool | None


@dataclass(frozen=True)
class Ended(Happened):
    """A failed visit, or a cancellation by a `side`, with its reason."""

    reason: str
    side: str = ""


@dataclass(frozen=True)
class Asked(Happened):
    """A request, and how long it waited for an answer; None while it waits."""

    waited: timedelta | None


@dataclass(frozen=True)
class Room:
    """The units of a day's service windows, and those that jobs take."""

    day: date
    units: int
    taken: int


def done_jobs(period: Period) -> Iterator[Done]:
    """Iterate over the jobs that were completed and still are, at their last completion."""
    events = _events(period, JobEvent.Kind.STATUS).filter(
        status=Status.COMPLETED, job__status=Status.COMPLETED
    )
    prices, starts = _prices(events), _starts(events)
    window, arrived = "job__window_end", "job__arrived_at"
    rows = {row["job"]: row for row in _with_names(events, window, arrived)}
    for job, row in rows.items():
        started, until = row[arrived] or starts.get(job), row[window]
        on_time = None if until is None or started is None else started <= until
        yield Done(*_named(row), prices=prices.get(job), on_time=on_time)


def failed_visits(period: Period) -> Iterator[Ended]:
    """Iterate over the visits at which a crew could not do the job."""
    for row in _with_names(_events(period, JobEvent.Kind.VISIT), "changes"):
        why = str(row["changes"].get(VISIT, ["", ""])[1])
        known = why in Failure.values
        yield Ended(*_named(row), reason=str(Failure(why).label) if known else "Not recorded")


def cancellations(period: Period) -> Iterator[Ended]:
    """Iterate over the cancellations."""
    events = _events(period, JobEvent.Kind.STATUS).filter(status=Status.CANCELLED)
    for row in _with_names(events, "job__cancel_side", "reason"):
        side = str(Job.CancelSide(row["job__cancel_side"]).label)
        yield Ended(*_named(row), reason=row["reason"] or "No reason", side=side)


def requests(period: Period) -> Iterator[Asked]:
    """Iterate over the requests that needed an answer, with the time to the first one.

    The office's first step is the answer. What was scheduled at once was not waiting for any.
    """
    events = _events(period, JobEvent.Kind.CREATED).filter(status=Status.REQUESTED)
    answers: dict[int, datetime] = {}
    steps = JobEvent.objects.filter(job__in=events.values("job"), kind=JobEvent.Kind.STATUS)
    for job, at, status, side in steps.order_by("pk").values_list(
        "job", "at", "status", "job__cancel_side"
    ):
        by_customer = status == Status.CANCELLED and side == Job.CancelSide.CUSTOMER
        if not by_customer:
            answers.setdefault(job, at)
    for row in _with_names(events, "job__status"):
        answered = answers.get(row["job"])
        if answered is None and row["job__status"] != Status.REQUESTED:
            continue  # its customer took it back first
        yield Asked(*_named(row), waited=answered - row["at"] if answered else None)


def rooms(period: Period) -> Iterator[Room]:
    """Iterate over the service windows that begin in the period, summed by moment."""
    windows = ServiceWindow.objects.filter(start__gte=period.start, start__lt=period.end)
    for start, units, taken in windows.values_list("start").annotate(Sum("units"), Sum("taken")):
        yield Room(local_date(start), units, taken)


def _events(period: Period, kind: JobEvent.Kind) -> QuerySet[JobEvent]:
    events = JobEvent.objects.filter(kind=kind, at__gte=period.start, at__lt=period.end)
    return events.filter(job__is_probe=False).exclude(reason=IMPORTED)


def _with_names(events: QuerySet[JobEvent], *more: str) -> Iterable[dict[str, Any]]:
    names = ("job", "at", "job__crew__name", "job__service__name")
    rows: Iterable[dict[str, Any]] = events.order_by("pk").values(*names, *more)
    return rows


def _named(row: dict[str, Any]) -> tuple[date, str, str]:
    return local_date(row["at"]), row["job__crew__name"] or NO_CREW, row["job__service__name"]


def _prices(events: QuerySet[JobEvent]) -> dict[int, tuple[Amounts, Amounts]]:
    """Return the first and the last price of each job that has one."""
    found: dict[int, tuple[Amounts, Amounts]] = {}
    prices = Price.objects.filter(job__in=events.values("job")).order_by("pk")
    for job, cents, upper in prices.values_list("job", "cents", "upper_cents"):
        first = found[job][0] if job in found else (cents, upper)
        found[job] = (first, (cents, upper))
    return found


def _starts(events: QuerySet[JobEvent]) -> dict[int, datetime]:
    """Return when work began at the visit that completed each job: what failed before is over."""
    steps = JobEvent.objects.filter(
        job__in=events.values("job"), kind__in=[JobEvent.Kind.STATUS, JobEvent.Kind.VISIT]
    )
    started: dict[int, datetime] = {}
    moments = steps.order_by("pk").values_list("job", "status", Coalesce(F("tapped_at"), F("at")))
    for job, status, at in moments:
        if status in NOT_STARTED:
            started.pop(job, None)
        elif status == Status.IN_PROGRESS:
            started.setdefault(job, at)
    return started
