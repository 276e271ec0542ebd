"""Filters of the job list: by service window, and by what needs doing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from dispatch.days import local_day
from dispatch.models import Job, JobQuerySet
from dispatch.statuses import Status

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


class WindowFilter(ChoiceFilter):
    title = "service window"
    parameter_name = "window"
    choices_by_code = {
        "today": ("Today", _days(0, 0)),
        "tomorrow": ("Tomorrow", _days(1, 1)),
        "week": ("Next 7 days", _days(0, 6)),
        "none": ("No window yet", lambda jobs, now: jobs.open().filter(window_start=None)),
    }


class NeedsFilter(ChoiceFilter):
    title = "to do"
    parameter_name = "needs"
    choices_by_code = {
        "answer": ("Answer request", lambda jobs, now: jobs.filter(status=Status.REQUESTED)),
        "price": ("Agree price", lambda jobs, now: jobs.without_price()),
        "crew": ("Assign crew", lambda jobs, now: jobs.unassigned()),
        "late": ("Running late", lambda jobs, now: jobs.late(now)),
    }
