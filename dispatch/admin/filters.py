"""Filters of the job list: by service window, and by what needs doing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from dispatch.days import local_day
from dispatch.errors import ValueRefused
from dispatch.models import Job, JobQuerySet
from dispatch.needs.listing import count_by_rule, jobs_of, jobs_of_any
from dispatch.needs.table import job_rules

Choice = Callable[[JobQuerySet, datetime], JobQuerySet]


class ChoiceFilter(admin.SimpleListFilter):
    """A filter whose choices are functions of a job queryset and the current time."""

    choices_by_code: dict[str, tuple[str, Choice]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, label) for code, (label, _) in self.choices_by_code.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() not in self.choices_by_code:
            return queryset
        _, choose = self.choices_by_code[str(self.value())]
        return queryset.filter(pk__in=choose(Job.objects.all(), timezone.now()).values("pk"))


def _days(first: int, last: int) -> Choice:
    def choose(jobs: JobQuerySet, now: datetime) -> JobQuerySet:
        return jobs.with_window_in(local_day(now, first)[0], local_day(now, last)[1])

    return choose


def _booked(days: int) -> Choice:
    def choose(jobs: JobQuerySet, now: datetime) -> JobQuerySet:
        return jobs.filter(created_at__gte=local_day(now, -days)[0])

    return choose


def _this_week(jobs: JobQuerySet, now: datetime) -> JobQuerySet:
    """Choose the jobs of the calendar week, from Monday to Sunday."""
    monday = -timezone.localdate(now).weekday()
    return _days(monday, monday + 6)(jobs, now)


class WindowFilter(ChoiceFilter):
    title = "service window"
    parameter_name = "window"
    choices_by_code = {
        "today": ("Today", _days(0, 0)),
        "tomorrow": ("Tomorrow", _days(1, 1)),
        "this-week": ("This week", _this_week),
        "week": ("Next 7 days", _days(0, 6)),
        "none": ("No window yet", lambda jobs, now: jobs.open().filter(window_start=None)),
    }


class BookedFilter(ChoiceFilter):
    """When the job was booked. Longer ago, a search finds it, or the number."""

    title = "booked"
    parameter_name = "booked"
    choices_by_code = {
        "today": ("Today", _booked(0)),
        "week": ("Past 7 days", _booked(6)),
        "month": ("Past 30 days", _booked(29)),
    }


class WorkFilter(ChoiceFilter):
    """Sets of open jobs by how far their planning is."""

    title = "work"
    parameter_name = "work"
    choices_by_code = {
        "open": ("Open", lambda jobs, now: jobs.open()),
        "unassigned": ("Unassigned", lambda jobs, now: jobs.unassigned()),
        "no-price": ("Without a price", lambda jobs, now: jobs.without_price()),
        "late": ("Late", lambda jobs, now: jobs.open().late(now)),
        "out": ("Dumpsters out", lambda jobs, now: jobs.out()),
        "due-back": ("Dumpsters due back", lambda jobs, now: jobs.due_back(now)),
    }


class NeedsFilter(admin.SimpleListFilter):
    """Jobs that need the office: all of them, or those of one rule (dispatch.needs)."""

    title = "needs you"
    parameter_name = "needs"
    any_rule = "any"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """List the rules that find anything, with how many jobs, and the rule that is chosen."""
        counts = count_by_rule(timezone.now())
        chosen = request.GET.get(self.parameter_name)
        shown = [rule for rule in job_rules() if counts[rule.code] or rule.code == chosen]
        found = [(rule.code, f"{rule.name} ({counts[rule.code]})") for rule in shown]
        return [(self.any_rule, "Anything"), *found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        code = self.value()
        if code is None:
            return queryset
        now = timezone.now()
        jobs = jobs_of_any(now) if code == self.any_rule else _jobs_of(str(code), now)
        return queryset.filter(pk__in=jobs.order_by().values("pk"))


def _jobs_of(rule: str, now: datetime) -> JobQuerySet:
    """Return the jobs of a rule; an unknown one is a refusal of the list's address."""
    try:
        return jobs_of(rule, now)
    except ValueRefused as refusal:
        raise IncorrectLookupParameters(refusal) from None
