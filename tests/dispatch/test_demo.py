"""Demo data: dates around today, loaded once."""

from datetime import UTC, datetime

import pytest
import time_machine

from dispatch.demo import JOBS, MARK_PHONE, load_demo_jobs, next_window
from dispatch.models import Job
from dispatch.statuses import Status

pytestmark = pytest.mark.django_db


@time_machine.travel("2026-11-20T20:00:00Z")
def test_demo_has_marks_job():
    load_demo_jobs()
    mark = Job.objects.get(customer__phone=MARK_PHONE)
    assert (mark.contact_name, mark.status) == ("Mark Ames", Status.READY_FOR_PICKUP)
    assert "Soderblom Avenue" in mark.address
    assert str(mark.price) == "$600 all-in"
    assert mark.window_start == datetime(2026, 11, 20, 21, tzinfo=UTC)


def test_loading_twice_adds_nothing():
    load_demo_jobs()
    load_demo_jobs()
    assert Job.objects.count() == len(JOBS)


def test_demo_shows_every_status():
    load_demo_jobs()
    assert set(Job.objects.values_list("status", flat=True)) == set(Status)


@pytest.mark.parametrize(
    ("now", "window"),
    [("06:00", (0, 9, 11)), ("13:30", (0, 14, 16)), ("18:59", (0, 19, 21)), ("21:00", (1, 9, 11))],
)
def test_marks_window_has_not_begun(now, window):
    with time_machine.travel(f"2026-11-20T{now}:00-07:00"):
        assert next_window() == window
