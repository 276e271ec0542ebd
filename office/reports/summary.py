"""The week in a few figures, for the front page of owners."""

from dataclasses import dataclass
from datetime import datetime

from office.reports.figures import read_report
from office.reports.periods import latest_weeks, local_date
from office.reports.tables import ANSWER, FAILED, JOBS, ON_TIME, REVENUE, USE

SHOWN = (JOBS, REVENUE, ON_TIME, USE, FAILED, ANSWER)


@dataclass(frozen=True)
class Fact:
    """A figure of this week up to now, and of the whole week before, as text."""

    key: str
    title: str
    this_week: str
    last_week: str


def summary(now: datetime) -> list[Fact]:
    """Return the figures of this week and the last. Shown to users who may view the reports."""
    report = read_report(latest_weeks(local_date(now), weeks=2))
    before, current = report.weeks.values()
    return [
        Fact(
            column.key,
            column.title,
            column.text(column.value(current)),
            column.text(column.value(before)),
        )
        for column in SHOWN
    ]
