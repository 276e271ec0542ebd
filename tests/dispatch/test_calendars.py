"""The calendar file of a job."""

from datetime import UTC, datetime

import pytest
from icalendar import Calendar

from dispatch.calendars import NoWindow, calendar_of
from dispatch.changing import change_details, move_job
from dispatch.statuses import Status
from tests.builders import make_job

pytestmark = pytest.mark.django_db
START, END = datetime(2026, 11, 24, 16, tzinfo=UTC), datetime(2026, 11, 24, 18, tzinfo=UTC)


def event_of(job, **kwargs):
    calendar = Calendar.from_ical(calendar_of(job, **kwargs))
    assert calendar["METHOD"] == "PUBLISH"
    return calendar.walk("VEVENT")[0]


def make_scheduled_job(**kwargs):
    window = {"window_start": START, "window_end": END}
    return make_job(**{"status": Status.SCHEDULED, **window, **kwargs})


def test_calendar_has_the_window_and_the_link():
    event = event_of(make_scheduled_job(), url="https://example.com/track/x")
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (START, END)
    assert event["SUMMARY"] == "QuickDumpNow: Junk removal"
    assert event["URL"] == "https://example.com/track/x"
    assert event["STATUS"] == "CONFIRMED"


def test_later_file_updates_the_same_event():
    job = make_scheduled_job()
    first = event_of(job)
    change_details(job=job, changes={"window_end": END.replace(hour=19)}, actor="dana")
    second = event_of(job)
    assert first["UID"] == second["UID"]
    assert second["SEQUENCE"] > first["SEQUENCE"]


def test_cancelled_job_cancels_the_event():
    job = make_scheduled_job()
    first = event_of(job)
    move_job(job=job, to=Status.CANCELLED, actor="dana", side="customer", reason="Moved")
    second = event_of(job)
    assert (second["STATUS"], second["UID"]) == ("CANCELLED", first["UID"])
    assert second["SEQUENCE"] > first["SEQUENCE"]


def test_text_that_was_typed_cannot_add_lines():
    job = make_scheduled_job()
    job.service.name = "Junk\r\nATTENDEE:mailto:x@example.com"
    assert "ATTENDEE" not in event_of(job)


def test_no_window_no_calendar():
    with pytest.raises(NoWindow) as refused:
        calendar_of(make_job())
    assert refused.value.code == "no-window"
