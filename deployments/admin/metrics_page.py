"""The metrics page of an environment: small charts, each with its figures as text."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from deployments import metrics
from deployments.metrics import NO_SUBJECT, NOT_MEASURED, Report, Subject, read_report
from deployments.models import Environment
from edge.backends import get_backend
from edge.errors import EdgeError

# The time spans on offer, in hours, and their labels.
CHOICES = {3: "3 hours", 24: "24 hours", 168: "7 days", 720: "30 days"}
DEFAULT_HOURS = 24
TEMPLATE = "admin/deployments/environment/metrics.html"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `bars` is the path of an SVG of CHART_WIDTH by CHART_HEIGHT."""

    title: str
    total: str
    peak: str
    bars: str


def metrics_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show an environment's metrics, or why there are none. `?hours=` takes a key of CHOICES."""
    hours = _hours(request)
    report: Report | None = None
    problem = ""
    try:
        report = read_report(get_backend(), [environment], hours=hours, now=timezone.now())
        problem = _why_empty(report)
    except EdgeError as error:
        problem = str(error)
    shown = {
        "title": f"Metrics for {environment}",
        "hours": hours,
        "choices": CHOICES.items(),
        "problem": problem,
        "width": metrics.CHART_WIDTH,
        "height": metrics.CHART_HEIGHT,
        **_shown(report),
    }
    # Monitors of this page must see an error when CloudWatch fails.
    status = 502 if report is None else 200
    return TemplateResponse(request, TEMPLATE, {**context, **shown}, status=status)


def _why_empty(report: Report) -> str:
    """Return why a report has no charts, or "" if it has some."""
    if not report.measured:
        return NOT_MEASURED
    return "" if report.subjects else NO_SUBJECT


def _hours(request: HttpRequest) -> int:
    text = request.GET.get("hours", "")
    hours = int(text) if text.isdecimal() else DEFAULT_HOURS
    return hours if hours in CHOICES else DEFAULT_HOURS


def _shown(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {"groups": []}
    return {
        "groups": [(subject, _charts(report, subject)) for subject in report.subjects],
        "span": report.span,
        "period": metrics.show_period(report.span.period),
    }


def _charts(report: Report, subject: Subject) -> list[Chart]:
    return [
        Chart(
            title=figure.column.title,
            total=metrics.show_total(figure),
            peak=metrics.show_peak(figure, report.span, timezone.get_current_timezone()),
            bars=metrics.bars(figure.values),
        )
        for figure in subject.figures
    ]
