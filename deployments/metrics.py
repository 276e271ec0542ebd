"""Recent metrics: requests, errors and bytes of distributions, and the load of functions.

Sources: the developer guide's "Types of metrics for CloudFront" (names and the one statistic each
metric has) and "Monitoring CloudFront Functions".
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from deployments.models import Environment
from deployments.wording import plural
from edge.functions.shipped import function_name
from edge.protocols import Backend, Measure

POINTS = 100  # at most in a series; more would not fit a small chart
MOST_HOURS = 90 * 24
# CloudWatch keeps periods of a minute for 15 days, of 5 minutes for 63 and of an hour for 455: a
# series of at most POINTS never needs one that is gone.
PERIODS = (60, 120, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400)
NOT_MEASURED = (
    "Metrics of requests come from CloudWatch: set EDGE_BACKEND=aws and give each environment its "
    "distributions with manage.py provision. The local back end has none."
)

NO_SUBJECT = (
    "No distribution is known, so there is nothing to measure. Create or adopt one with: "
    "manage.py provision"
)
CHART_WIDTH, CHART_HEIGHT = 300, 56
# A bar of one pixel still shows a small count.
LEAST_BAR = 1.0
UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Column:
    """A metric of edge.protocols.Measure. `weight` is the count that weights its percentages."""

    name: str
    title: str
    unit: Literal["count", "bytes", "percent", "milliseconds"]
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
        """Return the start of a period."""
        return self.start + timedelta(seconds=slot * self.period)


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric over a span. A value is None if nothing was counted."""

    column: Column
    values: Sequence[float | None]
    total: float | None

    @property
    def peak(self) -> tuple[int, float] | None:
        """The first period with the highest value, and that value."""
        counted = [(value, -slot) for slot, value in enumerate(self.values) if value is not None]
        if not counted:
            return None
        value, slot = max(counted)
        return -slot, value


@dataclass(frozen=True, slots=True)
class Subject:
    """A distribution or an edge function, or what another app measures, and its metrics."""

    environment: str
    kind: str
    id: str
    figures: tuple[Figure, ...]

    def figure(self, name: str) -> Figure:
        """Return a figure by its column's name."""
        return next(item for item in self.figures if item.column.name == name)


# Measures an environment over a span, besides the back end; the composition root adds them.
Source = Callable[[Environment, Span], Iterable[Subject]]
SOURCES: list[Source] = []


@dataclass(frozen=True, slots=True)
class Report:
    """The metrics of some environments. `measured`: whether the back end has metrics."""

    span: Span
    subjects: tuple[Subject, ...]
    measured: bool

    def as_json(self) -> list[dict[str, Any]]:
        """Return the report for --json: a row for each distribution and each function."""
        return [
            {
                "environment": subject.environment,
                "kind": subject.kind,
                "id": subject.id,
                "start": self.span.start.isoformat(),
                "end": self.span.end.isoformat(),
                "period": self.span.period,
                "totals": {item.column.name: item.total for item in subject.figures},
                "series": {item.column.name: list(item.values) for item in subject.figures},
            }
            for subject in self.subjects
        ]


def choose_span(hours: int, now: datetime, *, least: int = 0) -> Span:
    """Divide the last hours into at most POINTS periods; the last one may have just begun.

    `least` is the shortest period, in seconds.
    """
    length = hours * 3600
    period = next(one for one in PERIODS if one >= least and length / one <= POINTS)
    # CloudWatch answers faster if times align with the period.
    last = int(now.timestamp()) // period * period + period
    slots = -(-length // period)
    end = datetime.fromtimestamp(last, UTC)
    return Span(end - timedelta(seconds=slots * period), end, period)


def read_report(
    backend: Backend, environments: Iterable[Environment], *, hours: int, now: datetime
) -> Report:
    """Read the metrics of the last hours (1 to MOST_HOURS). Raises BackendUnavailable."""
    span, environments = choose_span(hours, now), list(environments)
    others = tuple(
        subject for one in environments for source in SOURCES for subject in source(one, span)
    )
    if backend.metrics is None:
        return Report(span, others, measured=False)
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
    return Report(span, subjects + others, measured=True)


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
    """Add up counts, and average percentages by weight: a quiet night must not hide a bad hour."""
    counted = [value for value in values[column.name] if value is not None]
    if not counted:
        return None
    if not column.weight:
        return sum(counted)
    pairs = [
        (value, weight)
        for value, weight in zip(values[column.name], values[column.weight], strict=True)
        if value is not None and weight
    ]
    weights = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / weights if weights else None


def show(value: float | None, unit: str) -> str:
    """Return a value as text: `1,204`, `3.4 MB`, `0.52%`, or `no data`."""
    if value is None:
        return "no data"
    if unit == "percent":
        return f"{value:.2f}%"
    if unit == "milliseconds":
        return f"{value:,.0f} ms"
    if unit == "bytes":
        return _bytes(value)
    return f"{value:,.0f}"


def show_total(figure: Figure) -> str:
    """Return a total as text. CloudWatch stores no zeros, so a count without data is `none`."""
    if figure.total is None and figure.column.unit == "count":
        return "none"
    return show(figure.total, figure.column.unit)


def show_peak(figure: Figure, span: Span, zone: tzinfo = UTC) -> str:
    """Return the highest value of a figure and its time as text; empty without one."""
    if figure.peak is None or not figure.peak[1]:
        return ""
    slot, value = figure.peak
    when = f"{span.moment(slot).astimezone(zone):%d %b %H:%M %Z}"
    return f"highest {show(value, figure.column.unit)} in {show_period(span.period)} from {when}"


def show_period(seconds: int) -> str:
    """Return a period as text: `1 minute`, `2 hours`, `1 day`."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            return plural(seconds // size, name)
    return f"{seconds} seconds"


def bars(values: Sequence[float | None], *, full: float | None = None) -> str:
    """Return values as the bars of an SVG path of CHART_WIDTH by CHART_HEIGHT, with gaps.

    The highest value is a full bar, or `full`, which none exceeds.
    """
    top = full or max((value for value in values if value is not None), default=0)
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
