"""Times as people type them, and the day a window ends on."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from dispatch.errors import ValueRefused
from dispatch.models import Job
from dispatch.windows.parsing import clock, parse_clock
from tests.builders import make_job
from tests.dispatch.job_page import errors_of, page_of, posted

NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9", time(9)),
        ("9am", time(9)),
        ("9:00 AM", time(9)),
        (" 9 a.m. ", time(9)),
        ("09:00", time(9)),
        ("02:30", time(2, 30)),
        ("14:30", time(14, 30)),
        ("14:30:59", time(14, 30)),
        ("2:30pm", time(14, 30)),
        ("2 p.m.", time(14)),
        ("12am", time(0)),
        ("12 PM", time(12)),
        ("12", time(12)),
    ],
)
def test_time_is_read(text, expected):
    assert parse_clock(text) == expected


@pytest.mark.parametrize(
    "text", ["", "noon", "25", "9:60", "13pm", "0am", "9:5", "9.30", "-1", "٩", "2", "5:30", "9 9"]
)
def test_other_text_is_refused(text):
    with pytest.raises(ValueRefused):
        parse_clock(text)


def test_shown_times_can_be_typed_back():
    for minutes in range(0, 24 * 60, 7):
        at = time(*divmod(minutes, 60))
        assert parse_clock(clock(at)) == at


def window_of(job):
    job.refresh_from_db()
    return job.window_start, job.window_end


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "end"), [("1pm", "3pm"), ("13", "15"), ("13:00", "15:00"), ("1:00 PM", "3 p.m.")]
)
def test_window_is_saved_with_one_day_for_both(desk, start, end):
    job = make_job()
    times = {"window_start_0": "2026-11-20", "window_start_1": start}
    times |= {"window_end_0": "", "window_end_1": end}
    response = desk.post(page_of(job), posted(job, **times))
    assert response.status_code == 302, errors_of(response)
    assert window_of(job) == (NOW, NOW + 2 * HOUR)


@pytest.mark.django_db
def test_window_may_end_on_another_day(desk):
    job = make_job()
    times = {"window_start_0": "2026-11-20", "window_start_1": "1pm"}
    times |= {"window_end_0": "2026-11-22", "window_end_1": "1pm"}
    desk.post(page_of(job), posted(job, **times))
    assert window_of(job) == (NOW, NOW + 48 * HOUR)


@pytest.mark.django_db
def test_window_is_removed_by_emptying_it(desk):
    job = make_job(window_start=NOW, window_end=NOW + HOUR)
    names = ("window_start_0", "window_start_1", "window_end_0", "window_end_1")
    desk.post(page_of(job), posted(job, **dict.fromkeys(names, "")))
    assert window_of(job) == (None, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"window_start_1": "2"}, "window_start", "may be morning or afternoon"),
        ({"window_start_1": "late"}, "window_start", "Expected a time, found"),
        ({"window_start_1": ""}, "window_start", "Enter the time"),
        ({"window_start_0": ""}, "window_start", "Enter the day"),
        ({"window_end_1": "8am"}, "window_end", "end after it starts"),
    ],
)
def test_refused_time_is_named_at_its_field_and_kept(desk, typed, field, says):
    job = make_job(window_start=NOW, window_end=NOW + HOUR)
    response = desk.post(page_of(job), posted(job, **typed, details="a piano"))
    assert says in str(errors_of(response)[field])
    assert "a piano" in response.content.decode()
    assert Job.objects.get(pk=job.pk).revision == 1


@pytest.mark.django_db
@time_machine.travel(NOW)
def test_page_shows_times_as_people_write_them_and_the_day_once(desk):
    job = make_job(window_start=NOW, window_end=NOW + HOUR)
    html = desk.get(page_of(job)).content.decode()
    assert 'name="window_start_0" value="2026-11-20"' in html
    assert 'name="window_start_1" value="1:00 PM"' in html
    assert 'name="window_end_1" value="2:00 PM"' in html
    assert 'name="window_end_0" value' not in html
    assert "DateTimeShortcuts" not in html  # which notes the zone of the browser


@pytest.mark.django_db
def test_page_shows_the_last_day_of_a_longer_window(desk):
    job = make_job(window_start=NOW, window_end=NOW + 48 * HOUR)
    assert 'name="window_end_0" value="2026-11-22"' in desk.get(page_of(job)).content.decode()


@pytest.mark.django_db
def test_seconds_of_a_window_are_no_change(desk):
    job = make_job(window_start=NOW + timedelta(seconds=30), window_end=NOW + HOUR)
    times = {"window_start_1": "1:00 PM", "window_end_1": "2:00 PM"}
    assert desk.post(page_of(job), posted(job, **times)).status_code == 302
    assert job.events.count() == 1
