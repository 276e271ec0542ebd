"""Reminders and late crews: found by rule, each once."""

from datetime import datetime, timedelta

import pytest
import time_machine

from dispatch.changing import change_details
from dispatch.statuses import Status
from dispatch.visits import Failure, fail_visit, report_delay
from notifications import notices
from notifications.models import Message
from tests.notifications.builders import DENVER, START, make_customers_job

pytestmark = pytest.mark.django_db
FIVE = datetime(2026, 11, 23, 17, tzinfo=DENVER)
END = START + timedelta(hours=2)


def events():
    return list(Message.objects.order_by("pk").values_list("event", flat=True))


@time_machine.travel(FIVE, tick=False)
def test_reminder_at_five_on_the_day_before():
    make_customers_job()
    assert notices.remind(FIVE - timedelta(seconds=1)) == 0
    assert notices.remind(FIVE) == 1
    assert events() == ["reminder"]
    assert notices.remind(FIVE + timedelta(minutes=1)) == 0
    assert events() == ["reminder"]


@pytest.mark.parametrize(
    "values",
    [
        {"status": Status.REQUESTED},
        {"status": Status.IN_PROGRESS},
        {"status": Status.CANCELLED},
        {"on_hold": True, "hold_reason": "Permit"},
        {"window_start": START + timedelta(days=1), "window_end": END + timedelta(days=1)},
        {"window_start": None, "window_end": None},
    ],
)
def test_no_reminder(values):
    make_customers_job(**values)
    assert notices.remind(FIVE) == 0


@time_machine.travel(FIVE + timedelta(hours=1), tick=False)
def test_no_reminder_for_who_has_just_heard_of_the_window():
    job = make_customers_job()
    change_details(job=job, changes={"window_end": END + timedelta(hours=1)}, actor="pat")
    assert events() == ["rescheduled"]
    assert notices.remind(FIVE + timedelta(hours=2)) == 0


@pytest.mark.parametrize(
    ("day", "offset"),
    [((2026, 3, 7), -7), ((2026, 10, 31), -6)],
    ids=["before a day of 23 hours", "before a day of 25 hours"],
)
def test_reminder_before_a_clock_change(day, offset):
    """Tomorrow is a day of the calendar, not 24 hours."""
    five = datetime(*day, 17, tzinfo=DENVER)
    assert five.utcoffset() == timedelta(hours=offset)
    last_hour = datetime(*day, 23, tzinfo=DENVER) + timedelta(days=1)
    window = {"window_start": last_hour, "window_end": last_hour + timedelta(minutes=59)}
    make_customers_job(**window)
    assert notices.remind(five) == 1


def test_delay_that_the_crew_reported_is_not_repeated():
    job = make_customers_job()
    with time_machine.travel(START, tick=False):
        for minutes in (15, 15, 30):
            report_delay(job=job, minutes=minutes, actor="Birch")
    assert events() == ["running_late", "running_late"]
    assert notices.say_who_is_late(END) == 0
    assert notices.say_who_is_late(END + timedelta(hours=2)) == 0


def test_delay_that_was_taken_back_is_found_by_rule():
    job = make_customers_job()
    report_delay(job=job, minutes=30, actor="Birch")
    report_delay(job=job, minutes=0, actor="Birch")
    assert events() == ["running_late"]
    assert notices.say_who_is_late(END) == 1


def test_crew_reports_a_delay_after_the_rule():
    job = make_customers_job()
    assert notices.say_who_is_late(END) == 1
    report_delay(job=job, minutes=60, actor="Birch")
    assert events() == ["running_late", "running_late"]


def test_failed_visit_is_not_late():
    job = make_customers_job(status=Status.EN_ROUTE)
    fail_visit(job=job, why=Failure.NOBODY_HOME, actor="Birch")
    assert notices.say_who_is_late(END) == 0
    assert events() == []


def test_late_once_for_each_window():
    job = make_customers_job()
    assert notices.say_who_is_late(END - timedelta(seconds=1)) == 0
    assert notices.say_who_is_late(END) == 1
    notices.say_who_is_late(END + timedelta(minutes=1))
    assert events() == ["running_late"]
    later = {"window_start": START + timedelta(hours=5), "window_end": END + timedelta(hours=5)}
    change_details(job=job, changes=later, actor="pat")
    notices.say_who_is_late(later["window_end"])
    assert events().count("running_late") == 2


@pytest.mark.parametrize(
    "values",
    [
        {"status": Status.IN_PROGRESS},
        {"status": Status.COMPLETED},
        {"on_hold": True, "hold_reason": "Permit"},
    ],
)
def test_not_late(values):
    make_customers_job(**values)
    assert notices.say_who_is_late(END) == 0


def test_windows_that_passed_long_ago_are_for_the_phone():
    make_customers_job()
    assert notices.say_who_is_late(END + notices.LATE_AT_MOST) == 0
