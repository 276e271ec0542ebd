"""The board of a day as data. docs/reference/board.md describes it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Count, DateField, F, FilteredRelation, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from dispatch.models import Crew, Job, ServiceWindow
from dispatch.needs.reading import Found, read_needs
from dispatch.needs.rules import Need
from dispatch.runs import bounds, in_order
from dispatch.statuses import Status
from office.board.access import CHANGE, Viewer
from office.board.cards import cards_of, local_iso, units_of
from office.board.days import DONE, OUT, UNASSIGNED, Day, crew_column, week_of

VERSION = 2
# So many needs of each rule are shown; the others follow as these are done.
MOST_NEEDS = 25
# The moment that gives a row its day in the week.
JOBS, WINDOWS = "window_start", "start"


def board_document(day: date, now: datetime, *, viewer: Viewer) -> dict[str, Any]:
    """Return the board of a day as it is at `now`, in as many queries for many jobs as for few."""
    waiting = read_needs(now, viewer.may, most=MOST_NEEDS)
    shown = Day(day, now)
    jobs = shown.jobs(waiting.jobs)
    found = waiting.by_rule({job.pk: job for job in jobs}, now)
    places = _places(shown, jobs)
    return {
        "v": VERSION,
        "day": day.isoformat(),
        "today": timezone.localdate(now).isoformat(),
        "actor": viewer.name,
        "may_change": viewer.may(CHANGE),
        "week": _week(day),
        "columns": [
            {"code": "needs", "title": "Needs you", **_needs(found)},
            {"code": UNASSIGNED, "title": "Unassigned", "jobs": _keys(places[UNASSIGNED])},
            *(
                _crew_column(crew, day, places[crew_column(crew.pk)])
                for crew in _crews(day)
                if crew.active or places[crew_column(crew.pk)]
            ),
            {"code": OUT, "title": "Out", "jobs": _keys(_by_due_day(places[OUT], now))},
            {"code": DONE, "title": "Done", "jobs": _keys(places[DONE])},
        ],
        "cards": cards_of(jobs, day=day, now=now),
    }


def _places(shown: Day, jobs: Iterable[Job]) -> dict[str, list[Job]]:
    places: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if column := shown.column_of(job):
            places[column].append(job)
    return places


def _crews(day: date) -> QuerySet[Crew]:
    """Return all crews, each with the order and the revision of its run of the day."""
    run = FilteredRelation("runs", condition=Q(runs__day=day))
    return Crew.objects.annotate(run=run).annotate(
        order=F("run__order"), run_revision=F("run__revision")
    )


def _keys(jobs: Iterable[Job]) -> list[int]:
    return [job.pk for job in jobs]


def _by_due_day(jobs: list[Job], now: datetime) -> list[Job]:
    """Return dumpsters that are out, the one that is due first on top."""
    return sorted(jobs, key=lambda job: (job.days_of_rental - (job.days_out(now) or 0), job.number))


def _crew_column(crew: Any, day: date, jobs: list[Job]) -> dict[str, Any]:
    return {
        "code": crew_column(crew.pk),
        "title": crew.name,
        "crew": crew.pk,
        "run_revision": crew.run_revision or 0,
        "units": sum(units_of(job) for job in jobs),
        "sheet": reverse("office:run-sheet", args=[crew.pk, day.isoformat()]),
        "link": reverse("admin:crews_crew_link", args=[crew.pk, day.isoformat()]),
        "jobs": _keys(in_order(jobs, crew.order or [])),
    }


def _needs(found: Sequence[Found]) -> dict[str, Any]:
    return {
        "needs": [_need(need) for one in found for need in one.needs],
        "more": sum(one.count - len(one.needs) for one in found),
    }


def _need(need: Need) -> dict[str, Any]:
    action = need.action
    return {
        "rule": need.rule,
        "job": need.job.pk if need.job else None,
        "sentence": need.sentence,
        "action": {"act": action.act, "label": action.label, "url": action.url},
        "since": local_iso(need.since),
    }


def _week(day: date) -> list[dict[str, Any]]:
    """Return the load of each day of the week: jobs, their units in windows, and the room."""
    week = week_of(day)
    start, end = bounds(week[0])[0], bounds(week[-1])[1]
    planned = Job.objects.filter(window_start__gte=start, window_start__lt=end)
    windows = ServiceWindow.objects.filter(start__gte=start, start__lt=end)
    jobs = _by_day(planned.exclude(status=Status.CANCELLED), JOBS, "window_units")
    loads = jobs.union(_by_day(windows, WINDOWS, "units"), all=True)
    found = {(row["moment"], row["on"]): (row["rows"], row["sum"]) for row in loads}
    return [
        {
            "day": one.isoformat(),
            "jobs": found.get((JOBS, one), (0, 0))[0],
            "units": found.get((JOBS, one), (0, 0))[1],
            "room": found.get((WINDOWS, one), (0, 0))[1],
        }
        for one in week
    ]


def _by_day(rows: QuerySet[Any], moment: str, units: str) -> QuerySet[Any, dict[str, Any]]:
    """Count rows and sum their units by the day of `moment`, which their rows name too."""
    days = rows.order_by().values(
        on=TruncDate(moment, output_field=DateField()), moment=Value(moment)
    )
    counted: QuerySet[Any, dict[str, Any]] = days.annotate(rows=Count("pk"), sum=Sum(units))
    return counted
