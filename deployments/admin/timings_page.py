"""The timings page of an environment: how long its pages took for real viewers, by release."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from deployments.metrics import CHART_HEIGHT, CHART_WIDTH, Span, bars, choose_span, show_period
from deployments.models import Environment, Metric
from deployments.timings.reading import NUMBERS
from deployments.timings.summary import PERCENTILES, Summary, by_time, summed

# The time spans on offer, in hours, and their labels: not below what histograms can show.
CHOICES = {24: "24 hours", 168: "7 days", 720: "30 days", 2160: "90 days"}
DEFAULT_HOURS = 24
HOUR = 3600
TEMPLATE = "admin/deployments/environment/timings.html"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of 75th percentiles. `bars` is the path of an SVG."""

    title: str
    shown: str
    bars: str


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one release: a cell for each metric, with p50, p75 and p95 as text."""

    release: str
    note: str
    views: int
    errors: str
    cells: list[list[str]]


@dataclass(frozen=True, slots=True)
class Group:
    """What is shown of one surface."""

    surface: str
    charts: list[Chart]
    lines: list[Line]


def timings_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show an environment's timings by surface and release. `?hours=` takes a key of CHOICES."""
    hours = _hours(request)
    span = choose_span(hours, timezone.now(), least=HOUR)
    shown = {
        "title": f"Timings of {environment}",
        "hours": hours,
        "choices": CHOICES.items(),
        "groups": list(_groups(environment, span)),
        "columns": [metric.label for metric in NUMBERS],
        "span": span,
        "period": show_period(span.period),
        "is_on": settings.TIMINGS_PERCENT > 0,
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
    }
    return TemplateResponse(request, TEMPLATE, {**context, **shown})


def _hours(request: HttpRequest) -> int:
    text = request.GET.get("hours", "")
    hours = int(text) if text.isdecimal() else DEFAULT_HOURS
    return hours if hours in CHOICES else DEFAULT_HOURS


def _groups(environment: Environment, span: Span) -> Iterator[Group]:
    rows = environment.timings.filter(hour__gte=span.start)
    by_surface: dict[str, list[Summary]] = {}
    for one in summed(rows):
        by_surface.setdefault(one.surface, []).append(one)
    notes = _notes(environment)
    for surface, found in sorted(by_surface.items()):
        over_time = by_time(rows.filter(surface=surface), span.start, span.period)
        slots = [over_time.get(slot) for slot in range(_slots(span))]
        charts = [_chart(metric, slots) for metric in NUMBERS]
        yield Group(surface, charts, [_line(one, notes) for one in found])


def _slots(span: Span) -> int:
    return int((span.end - span.start) / timedelta(seconds=span.period))


def _notes(environment: Environment) -> dict[str, str]:
    live, canary = environment.live, environment.canary
    notes = {canary.release.name: f"canary, {canary.percent}%"} if canary else {}
    return notes | ({live.release.name: "live"} if live else {})


def _chart(metric: Metric, slots: Sequence[Summary | None]) -> Chart:
    values = [one.percentile(metric, PERCENTILES["p75"]) if one else None for one in slots]
    counted = [value for value in values if value is not None]
    shown = f"{_text(metric, min(counted))} to {_text(metric, max(counted))}" if counted else ""
    return Chart(str(metric.label), shown or "no data", bars(values))


def _line(one: Summary, notes: dict[str, str]) -> Line:
    cells = [
        [_text(metric, one.percentile(metric, share)) for share in PERCENTILES.values()]
        for metric in NUMBERS
    ]
    errors = f"{one.error_share:.1%}"
    return Line(one.release, notes.get(one.release, ""), one.views, errors, cells)


def _text(metric: Metric, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if metric == Metric.CLS else f"{value:,.0f} ms"
