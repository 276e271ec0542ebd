"""The charts of a report: bars over its weeks, drawn on the server as the path of an SVG."""

from dataclasses import dataclass
from datetime import timedelta

from deployments.metrics import bars
from office.reports.figures import Report
from office.reports.tables import BY_WEEK, Column, Value, week_text


@dataclass(frozen=True)
class Chart:
    """One figure by week. `rows` is the table behind the bars: week and value, as text."""

    key: str
    title: str
    total: str
    bars: str
    first: str
    last: str
    rows: list[tuple[str, str]]


def charts(report: Report) -> list[Chart]:
    """Return a chart for each figure that weeks have."""
    return [_chart(report, column) for column in BY_WEEK]


def _chart(report: Report, column: Column) -> Chart:
    weeks = list(report.weeks)
    values = [column.value(tally) for tally in report.weeks.values()]
    return Chart(
        key=column.key,
        title=column.title,
        total=column.text(column.value(report.total)),
        bars=bars([_height(value) for value in values], full=column.full),
        first=week_text(weeks[0]),
        last=week_text(weeks[-1]),
        rows=[
            (week_text(week), column.text(value)) for week, value in zip(weeks, values, strict=True)
        ],
    )


def _height(value: Value) -> float | None:
    """Return the height of a bar; a sum below zero has none, and its table says it."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return None if value is None else max(value, 0)
