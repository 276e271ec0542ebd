from datetime import UTC, datetime

import pytest

from dispatch.statuses import Status
from tests.builders import make_job
from tracking.documents import public_document
from tracking.surfaces import status_table
from tracking.wording import job_view

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("firm_clock")]
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # 11:00 AM in Fairbanks


@pytest.fixture
def firm_clock(settings):
    settings.TIME_ZONE = "America/Anchorage"


def view(start, end, status=Status.SCHEDULED, now=NOW):
    job = make_job(status=status, window_start=start, window_end=end)
    return job_view(public_document(job), now)


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (at(21, 18), at(21, 20), "Today, 9:00 \u2013 11:00 AM"),
        (at(21, 20), at(21, 22, 30), "Today, 11:00 AM \u2013 1:30 PM"),
        (at(21, 21), at(21, 23), "Today, 12:00 \u2013 2:00 PM"),
        (at(22, 18), at(22, 20), "Tomorrow, 9:00 \u2013 11:00 AM"),
        (at(20, 18), at(20, 20), "Yesterday, 9:00 \u2013 11:00 AM"),
        (at(25, 18), at(25, 20), "Wednesday, Nov 25, 9:00 \u2013 11:00 AM"),
        (at(21, 18), at(23, 18), "Today, 9:00 AM \u2013 Monday, Nov 23, 9:00 AM"),
        (at(22, 6), at(22, 10), "Today, 9:00 PM \u2013 Tomorrow, 1:00 AM"),
        # Late evening in Fairbanks is the next day in UTC.
        (at(22, 6), at(22, 8), "Today, 9:00 \u2013 11:00 PM"),
    ],
)
def test_window(start, end, text):
    assert view(start, end)["window"] == text


@pytest.mark.parametrize(
    ("status", "late"),
    [
        (Status.SCHEDULED, True),
        (Status.READY_FOR_PICKUP, True),
        (Status.EN_ROUTE, True),
        (Status.REQUESTED, False),
        (Status.IN_PROGRESS, False),
        (Status.COMPLETED, False),
    ],
)
def test_job_is_late_after_its_window_unless_work_started(status, late):
    assert view(at(21, 18), NOW, status=status)["late"] is late
    assert view(at(21, 18), at(21, 21), status=status)["late"] is False


def test_ended_job_shows_no_window():
    assert view(at(21, 18), at(21, 20), status=Status.COMPLETED)["window"] == ""


def test_steps_are_done_now_or_ahead():
    states = [step["state"] for step in view(None, None)["steps"]]
    assert states == ["done", "now", "", "", "", ""]


def test_every_step_of_a_finished_job_is_done():
    states = {step["state"] for step in view(None, None, status=Status.COMPLETED)["steps"]}
    assert states == {"done"}


def test_unset_values_have_texts():
    words = view(None, None)
    assert (words["price"], words["crew"]) == ("To be agreed", "Not assigned yet")


def test_pages_poll_often_during_the_work_and_stop_at_the_end():
    polls = {code: about["poll"] for code, about in status_table().items()}
    assert polls == {
        "requested": 300, "scheduled": 300, "on_site": 300, "ready_for_pickup": 300,
        "en_route": 20, "in_progress": 20, "completed": 0, "cancelled": 0,
    }  # fmt: skip
