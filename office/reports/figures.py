"""Figures of a period by week, crew and service: counted from what reading.py found."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from office.reports import reading
from office.reports.periods import Period, monday_of
from office.reports.reading import Amounts, Asked, Done, Ended, Happened, Room


@dataclass
class Tally:
    """The sums of one week, crew or service. Money is in cents."""

    requests: int = 0
    jobs: int = 0
    cents: int = 0
    changed_cents: int = 0
    timed: int = 0
    on_time: int = 0
    failed: int = 0
    cancelled: int = 0
    units: int = 0
    taken: int = 0
    waits: list[timedelta] = field(default_factory=list)

    @property
    def on_time_share(self) -> float | None:
        """Of the completed jobs with a window: those whose work began before it was over."""
        return self.on_time / self.timed if self.timed else None

    @property
    def use(self) -> float | None:
        """Of the room in the service windows: what jobs take."""
        return self.taken / self.units if self.units else None

    @property
    def answer(self) -> timedelta | None:
        """The median time to answer a request; half of them waited less."""
        seconds = [wait.total_seconds() for wait in self.waits]
        return timedelta(seconds=median(seconds)) if seconds else None


@dataclass
class Report:
    """The figures of a period. Weeks are in order; crews and services by their names."""

    period: Period
    weeks: dict[date, Tally]
    crews: dict[str, Tally] = field(default_factory=dict)
    services: dict[str, Tally] = field(default_factory=dict)
    visits: Counter[str] = field(default_factory=Counter)
    cancellations: Counter[tuple[str, str]] = field(default_factory=Counter)
    total: Tally = field(default_factory=Tally)

    def tallies(self, one: Happened) -> list[Tally]:
        """Return the sums that something counts in."""
        return [
            self.total,
            self.weeks[monday_of(one.day)],
            self.crews.setdefault(one.crew, Tally()),
            self.services.setdefault(one.service, Tally()),
        ]


def read_report(period: Period) -> Report:
    """Read and count a period."""
    return count(
        period,
        done=reading.done_jobs(period),
        visits=reading.failed_visits(period),
        cancelled=reading.cancellations(period),
        requests=reading.requests(period),
        rooms=reading.rooms(period),
    )


def count(
    period: Period,
    *,
    done: Iterable[Done] = (),
    visits: Iterable[Ended] = (),
    cancelled: Iterable[Ended] = (),
    requests: Iterable[Asked] = (),
    rooms: Iterable[Room] = (),
) -> Report:
    """Count what happened in a period."""
    report = Report(period, {week: Tally() for week in period.weeks})
    for job in done:
        _count_done(report, job)
    for visit in visits:
        _count_visit(report, visit)
    for end in cancelled:
        _count_cancelled(report, end)
    for request in requests:
        _count_request(report, request)
    for room in rooms:
        _count_room(report, room)
    report.crews, report.services = _sorted(report.crews), _sorted(report.services)
    return report


def changed_cents(first: Amounts, last: Amounts) -> int:
    """Return by how much a price changed. One inside an agreed range changed by nothing."""
    low, high = first[0], first[1] or first[0]
    return last[0] - min(max(last[0], low), high)


def _count_done(report: Report, job: Done) -> None:
    for tally in report.tallies(job):
        tally.jobs += 1
        if job.prices is not None:
            first, last = job.prices
            tally.cents += last[0]
            tally.changed_cents += changed_cents(first, last)
        if job.on_time is not None:
            tally.timed += 1
            tally.on_time += job.on_time


def _count_visit(report: Report, visit: Ended) -> None:
    report.visits[visit.reason] += 1
    for tally in report.tallies(visit):
        tally.failed += 1


def _count_cancelled(report: Report, end: Ended) -> None:
    report.cancellations[end.side, end.reason] += 1
    for tally in report.tallies(end):
        tally.cancelled += 1


def _count_request(report: Report, request: Asked) -> None:
    for tally in report.tallies(request):
        tally.requests += 1
        if request.waited is not None:
            tally.waits.append(request.waited)


def _count_room(report: Report, room: Room) -> None:
    """Count the room of windows: for all crews and services together."""
    for tally in (report.total, report.weeks[monday_of(room.day)]):
        tally.units += room.units
        tally.taken += room.taken


def _sorted(tallies: dict[str, Tally]) -> dict[str, Tally]:
    """Sort by name, with what has no crew at the end."""
    return dict(sorted(tallies.items(), key=lambda item: (item[0] == reading.NO_CREW, item[0])))
