"""The figures of a report equal what one counts by hand in tests/office/reports/example.py."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch.changing import move_job
from dispatch.importing import IMPORTED
from dispatch.models import Job, JobEvent
from dispatch.probes import make_probe, move_probe
from dispatch.statuses import Status
from dispatch.stepping import step_back
from office.reports.figures import changed_cents, read_report
from office.reports.periods import Period, asked_period, latest_weeks, monday_of
from office.reports.reading import NO_CREW
from office.reports.summary import summary
from tests.builders import make_job
from tests.office.reports import example
from tests.office.reports.example import at, make_two_weeks, moment

pytestmark = pytest.mark.django_db
TWO_WEEKS = Period(date(2026, 11, 9), date(2026, 11, 22))
FIRST, SECOND = date(2026, 11, 9), date(2026, 11, 16)
HOUR = timedelta(hours=1)


@pytest.fixture
def report():
    make_two_weeks()
    return read_report(TWO_WEEKS)


def test_weeks(report):
    first, second = report.weeks[FIRST], report.weeks[SECOND]
    assert list(report.weeks) == [FIRST, SECOND]
    assert (first.jobs, first.cents, first.changed_cents) == (2, 99_000, 5_000)
    assert (second.jobs, second.cents, second.changed_cents) == (2, 162_000, 0)
    assert (first.on_time, first.timed, first.on_time_share) == (1, 2, 0.5)
    assert (second.on_time, second.timed) == (2, 2)
    assert (first.failed, second.failed) == (0, 1)
    assert (first.cancelled, second.cancelled) == (0, 2)
    assert (first.use, second.use) == (0.5, 0.5)


def test_time_to_answer(report):
    first, second = report.weeks[FIRST], report.weeks[SECOND]
    assert (first.requests, sorted(first.waits)) == (2, [HOUR / 2, 2 * HOUR])
    assert first.answer == 1.25 * HOUR
    # C, D, F, and G, which waits. E's customer took it back.
    assert (second.requests, sorted(second.waits)) == (4, [HOUR, 3 * HOUR, 3 * HOUR])


def test_crews(report):
    assert list(report.crews) == ["Birch", "Tamarack", NO_CREW]
    birch, tamarack, nobody = report.crews.values()
    assert (birch.jobs, birch.cents, birch.changed_cents) == (3, 111_000, 5_000)
    assert (birch.on_time, birch.timed, birch.failed, birch.cancelled) == (2, 3, 1, 0)
    assert (tamarack.jobs, tamarack.cents, tamarack.cancelled) == (1, 150_000, 1)
    assert (nobody.jobs, nobody.cancelled, nobody.requests) == (0, 1, 1)


def test_services(report):
    assert list(report.services) == ["Estate & garage cleanout", "Junk removal"]
    cleanout, junk = report.services.values()
    assert (cleanout.jobs, cleanout.cents, cleanout.on_time_share) == (1, 150_000, 1.0)
    assert (junk.jobs, junk.cents, junk.cancelled) == (3, 111_000, 2)


def test_reasons(report):
    assert report.visits == Counter({"We could not get in": 1})
    assert report.cancellations == Counter(
        {("Customer", "Moving away"): 1, ("Firm", "No truck"): 1}
    )


def test_sums_agree(report):
    for tallies in (report.weeks, report.crews, report.services):
        for name in ("jobs", "cents", "changed_cents", "failed", "cancelled", "requests"):
            total = sum(getattr(tally, name) for tally in tallies.values())
            assert total == getattr(report.total, name)


def test_day_outside_the_period_does_not_count():
    make_two_weeks()
    tuesday = read_report(Period(date(2026, 11, 10), date(2026, 11, 10)))
    assert (tuesday.total.jobs, tuesday.total.requests, tuesday.total.units) == (2, 0, 16)
    later = read_report(Period(date(2026, 11, 23), date(2026, 11, 29)))
    assert later.total.jobs == later.total.requests == later.total.units == 0
    assert (later.total.on_time_share, later.total.use, later.total.answer) == (None, None, None)


def test_completion_that_was_taken_back_does_not_count():
    job = make_two_weeks()["B"]
    with at(10, 16, 10):
        step_back(job=job, actor="dana", reason="Not done yet")
    assert read_report(TWO_WEEKS).weeks[FIRST].jobs == 1
    with at(10, 17):
        move_job(job=job, to=Status.COMPLETED, actor="dana")
    first = read_report(TWO_WEEKS).weeks[FIRST]
    assert (first.jobs, first.cents) == (2, 99_000)


def test_probes_and_imports_do_not_count():
    with at(10, 12):
        move_probe(make_probe())
        job = make_job(status=Status.COMPLETED)
        JobEvent.objects.create(
            job=job, kind="status", status="completed", revision=2, actor="ines", reason=IMPORTED
        )
    total = read_report(TWO_WEEKS).total
    assert (total.jobs, total.cancelled, total.requests) == (0, 0, 0)


@pytest.mark.parametrize(
    ("first", "last", "changed"),
    [
        ((60_000, None), (65_000, None), 5_000),
        ((60_000, None), (55_000, None), -5_000),
        ((60_000, 180_000), (150_000, None), 0),
        ((60_000, 180_000), (200_000, None), 20_000),
        ((60_000, 180_000), (50_000, None), -10_000),
    ],
)
def test_change_of_a_price(first, last, changed):
    assert changed_cents(first, last) == changed


# Days and weeks


def test_week_of_a_clock_change_has_169_hours():
    week = Period(date(2026, 10, 26), date(2026, 11, 1))
    assert week.end.astimezone(UTC) - week.start.astimezone(UTC) == timedelta(hours=169)


@pytest.mark.parametrize(
    ("moment_of_request", "week"),
    [
        (moment(1, 23, 59), date(2026, 10, 26)),
        (moment(2, 0, 1), date(2026, 11, 2)),
        (datetime(2026, 11, 2, 6, 59, tzinfo=UTC), date(2026, 10, 26)),
        (datetime(2026, 11, 2, 7, 0, tzinfo=UTC), date(2026, 11, 2)),
    ],
)
def test_request_counts_in_the_offices_week(moment_of_request, week):
    with time_machine.travel(moment_of_request, tick=False):
        make_job()
    report = read_report(Period(date(2026, 10, 26), date(2026, 11, 8)))
    assert [day for day, tally in report.weeks.items() if tally.requests] == [week]


def test_weeks_of_a_period_that_begins_and_ends_in_one():
    assert Period(date(2026, 11, 11), date(2026, 11, 17)).weeks == [FIRST, SECOND]
    assert monday_of(date(2026, 11, 22)) == SECOND


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"from": "x", "to": "2026-11-01"}, "Expected days"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "before the last"),
        ({"from": "1999-01-01", "to": "2026-11-01"}, "before the last"),
        ({"from": "0001-01-01", "to": ""}, "before the last"),
        ({"to": "0001-01-02"}, "Expected days"),
        ({"from": "9999-12-31", "to": "9999-12-31"}, "before the last"),
        ({"from": "2020-01-01", "to": "2026-11-01"}, "at most two years"),
    ],
)
def test_period_that_cannot_be_is_explained(query, problem):
    today = date(2026, 11, 20)
    period, why = asked_period(query, today)
    assert problem in why
    assert period == latest_weeks(today)


def test_period_of_the_address():
    today = date(2026, 11, 20)
    asked, why = asked_period({"from": "2026-11-09", "to": "2026-11-22"}, today)
    assert (asked, why) == (TWO_WEEKS, "")
    assert asked_period({}, today) == (Period(date(2026, 9, 28), today), "")


# What it costs


def test_queries_do_not_grow_with_the_jobs():
    def queries():
        with CaptureQueriesContext(connection) as asked:
            read_report(TWO_WEEKS)
        return len(asked)

    make_two_weeks()
    few = queries()
    for hour in (9, 11, 13):
        example.make_window(moment(12, hour))
        job = example.ask(12, 8, price="100 all-in")
        example.plan(job, None, 13, 9, answered=(12, 9))
    assert queries() == few <= 8


def test_queries_start_from_the_index_of_the_period():
    if connection.vendor != "sqlite":
        pytest.skip("a small table has another plan on a server")
    make_two_weeks()
    with CaptureQueriesContext(connection) as asked:
        read_report(TWO_WEEKS)
    for query in asked.captured_queries:
        if query["sql"].startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
                plan = " ".join(row[3] for row in cursor.fetchall())
            assert "SCAN dispatch_" not in plan, f"{plan}: {query['sql']}"


# For the front page


def test_summary_compares_this_week_with_the_last():
    make_two_weeks()
    facts = {fact.key: (fact.this_week, fact.last_week) for fact in summary(moment(20, 12))}
    assert facts["jobs"] == ("2", "2")
    assert facts["revenue"] == ("$1,620", "$990")
    assert facts["on-time"] == ("100%", "50%")
    assert facts["use"] == ("50%", "50%")
    assert facts["answer"] == ("3.0 h", "1.2 h")
    assert Job.objects.count() == 7
