"""The owner's reports: `?from=` and `?to=` are days, `?csv=` the key of a table."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from deployments.metrics import CHART_HEIGHT, CHART_WIDTH
from office.exports.files import csv_lines
from office.reports.charts import charts
from office.reports.figures import Report, read_report
from office.reports.periods import Period, asked_period, latest_weeks
from office.reports.tables import file_headings, tables

PERMISSION = "dispatch.view_reports"
TEMPLATE = "admin/office/reports.html"
# The time spans on offer, in weeks.
CHOICES = {4: "4 weeks", 8: "8 weeks", 26: "Half a year", 52: "A year"}


@require_safe
def reports(request: HttpRequest) -> HttpResponseBase:
    """Show the figures of a period, or answer with one table as CSV."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    period, problem = asked_period(request.GET.dict(), timezone.localdate())
    report = read_report(period)
    if "csv" in request.GET:
        return _csv(report, request.GET["csv"])
    context = {**admin.site.each_context(request), **_shown(report), "problem": problem}
    return TemplateResponse(request, TEMPLATE, context)


def _shown(report: Report) -> dict[str, Any]:
    period, today = report.period, timezone.localdate()
    choices = [(label, latest_weeks(today, weeks)) for weeks, label in CHOICES.items()]
    return {
        "title": "Reports",
        "period": period,
        "choices": [(label, _query(one), one == period) for label, one in choices],
        "query": _query(period),
        "charts": charts(report),
        "tables": tables(report),
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
    }


def _csv(report: Report, key: str) -> HttpResponseBase:
    table = next((one for one in tables(report) if one.key == key), None)
    if table is None:
        raise Http404(f"There is no table '{key}'.")
    period = report.period
    name = f"{table.key}-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    lines = csv_lines(file_headings(table), table.cells)
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _query(period: Period) -> str:
    return urlencode({"from": period.first.isoformat(), "to": period.last.isoformat()})
