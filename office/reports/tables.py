"""A report as tables: what the page shows, and what a CSV has."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from dispatch.models import dollars
from office.exports.columns import Cell
from office.reports.figures import Report, Tally

Value = float | timedelta | None
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Column:
    """A figure: its heading, its value in a sum, and how the page and a file write it.

    `full` is the value of a full bar, if it is not the highest of the period.
    """

    key: str
    title: str
    value: Callable[[Tally], Value]
    text: Callable[[Value], str]
    cell: Callable[[Value], Cell]
    full: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows under headings: as texts for the page, and as cells for a file."""

    key: str
    title: str
    headings: list[str]
    rows: list[list[str]]
    cells: list[list[Cell]]


def money(value: Value) -> str:
    """Format cents like $1,250, or -$40."""
    cents = int(value or 0)  # type: ignore[arg-type]  # a number of cents
    return f"{'-' if cents < 0 else ''}{dollars(abs(cents))}"


def share(value: Value) -> str:
    """Format a share like 83%, or - if there is none."""
    return "-" if value is None else f"{value:.0%}"


def wait(value: Value) -> str:
    """Format a time like 45 min, 3.5 h or 2.1 days."""
    if not isinstance(value, timedelta):
        return "-"
    if value < HOUR:
        return f"{value.total_seconds() / 60:.0f} min"
    hours = value / HOUR
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"  # noqa: PLR2004


def _number(value: Value) -> str:
    return f"{value or 0:,}"


def _as_is(value: Value) -> Cell:
    return value if isinstance(value, int) else 0


def _in_dollars(value: Value) -> Cell:
    return int(value or 0) / 100  # type: ignore[arg-type]  # a number of cents


def _percent(value: Value) -> Cell:
    return round(value * 100, 1) if isinstance(value, float | int) else None


def _in_hours(value: Value) -> Cell:
    return round(value / HOUR, 2) if isinstance(value, timedelta) else None


JOBS = Column("jobs", "Jobs completed", lambda tally: tally.jobs, _number, _as_is)
REVENUE = Column("revenue", "Revenue agreed", lambda tally: tally.cents, money, _in_dollars)
CHANGED = Column(
    "changed", "Changed after agreeing", lambda tally: tally.changed_cents, money, _in_dollars
)
ON_TIME = Column("on-time", "On time", lambda tally: tally.on_time_share, share, _percent, 1)
USE = Column("use", "Use of windows", lambda tally: tally.use, share, _percent, 1)
FAILED = Column("failed", "Failed visits", lambda tally: tally.failed, _number, _as_is)
CANCELLED = Column("cancelled", "Cancelled", lambda tally: tally.cancelled, _number, _as_is)
REQUESTS = Column("requests", "Requests", lambda tally: tally.requests, _number, _as_is)
ANSWER = Column("answer", "Time to answer", lambda tally: tally.answer, wait, _in_hours)
BY_WEEK = (JOBS, REVENUE, CHANGED, ON_TIME, USE, FAILED, CANCELLED, REQUESTS, ANSWER)
BY_NAME = (JOBS, REVENUE, CHANGED, ON_TIME, FAILED, CANCELLED, REQUESTS, ANSWER)
# What a file has in its heading besides the title.
UNITS = {
    "revenue": "USD",
    "changed": "USD",
    "on-time": "percent",
    "use": "percent",
    "answer": "median, hours",
}


def tables(report: Report) -> list[Table]:
    """Return all tables of a report."""
    weeks = {week.isoformat(): tally for week, tally in report.weeks.items()}
    return [
        _by("weeks", "By week", "Week from", weeks, BY_WEEK),
        _by("crews", "By crew", "Crew", report.crews, BY_NAME),
        _by("services", "By service", "Service", report.services, BY_NAME),
        _counted(
            "cancellations",
            "Cancellations",
            ["By", "Reason", "Jobs"],
            [(*names, count) for names, count in report.cancellations.most_common()],
        ),
        _counted(
            "visits",
            "Failed visits",
            ["Reason", "Visits"],
            [(reason, count) for reason, count in report.visits.most_common()],
        ),
    ]


def file_headings(table: Table) -> list[str]:
    """Return the headings of a file, with the units of its numbers."""
    titles = {column.title: UNITS.get(column.key) for column in BY_WEEK}
    return [
        f"{title} ({unit})" if (unit := titles.get(title)) else title for title in table.headings
    ]


def week_text(week: date) -> str:
    """Format the Monday of a week like Nov 16."""
    return f"{week:%b} {week.day}"


def _by(
    key: str, title: str, first: str, tallies: dict[str, Tally], columns: Iterable[Column]
) -> Table:
    columns = list(columns)
    return Table(
        key=key,
        title=title,
        headings=[first, *(column.title for column in columns)],
        rows=[
            [name, *(column.text(column.value(tally)) for column in columns)]
            for name, tally in tallies.items()
        ],
        cells=[
            [name, *(column.cell(column.value(tally)) for column in columns)]
            for name, tally in tallies.items()
        ],
    )


def _counted(key: str, title: str, headings: list[str], rows: list[tuple[str | int, ...]]) -> Table:
    return Table(
        key,
        title,
        headings,
        [[str(cell) for cell in row] for row in rows],
        [[*row] for row in rows],
    )
