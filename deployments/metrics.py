"""What viewers met lately: requests, errors and bytes of distributions, the load of functions.

Sources: the developer guide's "Types of metrics for CloudFront" (names and the one statistic each
metric has) and "Monitoring CloudFront Functions".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from deployments.models import Environment
from edge.functions.shipped import function_name
from edge.protocols import Backend, Measure

POINTS = 100  # of a series at most: more does not fit into a small chart
MOST_HOURS = 90 * 24
# CloudWatch keeps minutes for 15 days, five minutes for 63 and hours for 455: a series of at most
# POINTS never asks for a period that is gone.
PERIODS = (60, 120, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400)
NOT_MEASURED = (
    "Metrics come from CloudWatch: set EDGE_BACKEND=aws and give each environment its "
    "distributions with manage.py provision. The local back end measures nothing."
)

NO_SUBJECT = (
    "No distribution is known here, so there is nothing to measure. Make or adopt one with: "
    "manage.py provision"
)
CHART_WIDTH, CHART_HEIGHT = 300, 56
# A bar of one pixel still shows that something was counted.
LEAST_BAR = 1.0
UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Column:
    """A metric of edge.protocols.Measure. `weight` is the count that weights its percentages."""

    name: str
    title: str
    unit: Literal["count", "bytes", "percent"]
    weight: str = ""


DISTRIBUTION = (
    Column("requests", "Requests", "count"),
    Column("bytes_downloaded", "Downloaded", "bytes"),
    Column("4xx_rate", "4xx responses", "percent", weight="requests"),
    Column("5xx_rate", "5xx responses", "percent", weight="requests"),
)
FUNCTION = (
    Column("invocations", "Function runs", "count"),
    Column("utilization", "CPU budget used", "percent", weight="invocations"),
    Column("execution_errors", "Function errors", "count"),
    Column("validation_errors", "Invalid function results", "count"),
    Column("throttles", "Function throttles", "count"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole periods: `start` to `end` (UTC), cut into `period` seconds."""

    start: datetime
    end: datetime
    period: int

    def moment(self, slot: int) -> datetime:
        """Tell when a period began."""
        return self.start + timedelta(seconds=slot * self.period)


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric over a span. A value is None where nothing was counted."""

    column: Column
    values: Sequence[float | None]
    total: float | None

    @property
    def peak(self) -> tuple[int, float] | None:
        """Name the period with the highest value, and that value; None without any."""
        told = [(value, -slot) for slot, value in enumerate(self.values) if value is not None]
        if not told:
            return None
        value, slot = max(told)
        return -slot, value


@dataclass(frozen=True, slots=True)
class Subject:
    """A distribution or an edge function, and what was counted at it."""

    environment: str
    kind: Literal["distribution", "function"]
    id: str
    figures: tuple[Figure, ...]

    def figure(self, name: str) -> Figure:
        """Find a figure by its column's name."""
        return next(item for item in self.figures if item.column.name == name)


@dataclass(frozen=True, slots=True)
class Report:
    """What was counted at some environments. `measured`: the back end counts at all."""

    span: Span
    subjects: tuple[Subject, ...]
    measured: bool


def choose_span(hours: int, now: datetime) -> Span:
    """Cut the last hours into at most POINTS periods; the last one may have just begun."""
    length = hours * 3600
    period = next(one for one in PERIODS if length / one <= POINTS)
    # CloudWatch answers faster for times that align with the period.
    last = int(now.timestamp()) // period * period + period
    slots = -(-length // period)
    end = datetime.fromtimestamp(last, UTC)
    return Span(end - timedelta(seconds=slots * period), end, period)


def read_report(
    backend: Backend, environments: Iterable[Environment], *, hours: int, now: datetime
) -> Report:
    """Read what was counted in the last hours (1 to MOST_HOURS). Raises BackendUnavailable."""
    span = choose_span(hours, now)
    if backend.metrics is None:
        return Report(span, (), measured=False)
    wanted = [item for one in environments for item in _subjects(one)]
    measures = [measure for _, kind, id_ in wanted for measure in _measures(kind, id_)]
    series = iter(
        backend.metrics.read(measures, start=span.start, end=span.end, period=span.period)
        if measures
        else []
    )
    subjects = tuple(
        Subject(environment, kind, id_, _figures(_columns(kind), series))
        for environment, kind, id_ in wanted
    )
    return Report(span, subjects, measured=True)


def report_rows(report: Report) -> list[dict[str, Any]]:
    """Write a report for --json: a row for each distribution and each function."""
    return [
        {
            "environment": subject.environment,
            "kind": subject.kind,
            "id": subject.id,
            "start": report.span.start.isoformat(),
            "end": report.span.end.isoformat(),
            "period": report.span.period,
            "totals": {item.column.name: item.total for item in subject.figures},
            "series": {item.column.name: list(item.values) for item in subject.figures},
        }
        for subject in report.subjects
    ]


_Kind = Literal["distribution", "function"]


def _subjects(environment: Environment) -> Iterator[tuple[str, _Kind, str]]:
    for row in environment.distributions.all():
        yield environment.name, "distribution", row.remote_id
    if environment.runs_function:
        yield environment.name, "function", function_name(environment.name)


def _columns(kind: _Kind) -> tuple[Column, ...]:
    return DISTRIBUTION if kind == "distribution" else FUNCTION


def _measures(kind: _Kind, subject: str) -> list[Measure]:
    return [Measure(kind, subject, column.name) for column in _columns(kind)]


def _figures(columns: Sequence[Column], series: Iterator[list[float | None]]) -> tuple[Figure, ...]:
    values = {column.name: next(series) for column in columns}
    return tuple(Figure(column, values[column.name], _total(column, values)) for column in columns)


def _total(column: Column, values: dict[str, list[float | None]]) -> float | None:
    """Sum counts up; weigh percentages, for an empty night must not dilute a bad hour."""
    told = [value for value in values[column.name] if value is not None]
    if not told:
        return None
    if not column.weight:
        return sum(told)
    pairs = [
        (value, weight)
        for value, weight in zip(values[column.name], values[column.weight], strict=True)
        if value is not None and weight
    ]
    weights = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / weights if weights else None


def show(value: float | None, unit: str) -> str:
    """Write a value: `1,204`, `3.4 MB`, `0.52 %`, or `no data`."""
    if value is None:
        return "no data"
    if unit == "percent":
        return f"{value:.2f} %"
    if unit == "bytes":
        return _bytes(value)
    return f"{value:,.0f}"


def show_total(figure: Figure) -> str:
    """Write what a figure comes to. CloudWatch keeps no zeros: what never happened is not told."""
    if figure.total is None and figure.column.unit == "count":
        return "none"
    return show(figure.total, figure.column.unit)


def show_peak(figure: Figure, span: Span, zone: tzinfo = UTC) -> str:
    """Write the highest value of a figure and when it was; nothing without any."""
    if figure.peak is None or not figure.peak[1]:
        return ""
    slot, value = figure.peak
    when = f"{span.moment(slot).astimezone(zone):%d %b %H:%M %Z}"
    return f"highest {show(value, figure.column.unit)} in {show_period(span.period)} from {when}"


def show_period(seconds: int) -> str:
    """Write a period: `1 minute`, `2 hours`, `1 day`."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def bars(values: Sequence[float | None]) -> str:
    """Draw values as the bars of an SVG path in CHART_WIDTH by CHART_HEIGHT; gaps stay empty."""
    top = max((value for value in values if value is not None), default=0)
    if not top:
        return ""
    step = CHART_WIDTH / len(values)
    width = max(step * 0.8, LEAST_BAR)
    return "".join(
        f"M{slot * step:.1f} {CHART_HEIGHT}v{-_height(value / top):.1f}h{width:.1f}V{CHART_HEIGHT}z"
        for slot, value in enumerate(values)
        if value
    )


def _height(share: float) -> float:
    return max(share * CHART_HEIGHT, LEAST_BAR)


def _bytes(value: float) -> str:
    for unit in UNITS[:-1]:
        if value < THOUSAND:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= THOUSAND
    return f"{value:.1f} {UNITS[-1]}"
