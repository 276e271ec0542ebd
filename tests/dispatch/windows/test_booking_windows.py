"""Booking with windows: taken at once, kept as wishes, or refused with others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from dispatch.booking import book
from dispatch.errors import ValueRefused
from dispatch.models import Counter, Customer, Job, JobEvent, RequestedWindow, ServiceType
from dispatch.statuses import Status
from dispatch.windows.capacity import WindowFull
from dispatch.windows.recount import drift
from tests.builders import make_window
from tests.dispatch.test_booking import MARK

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
DAY = timedelta(days=1)
HALF = replace(MARK, load_size="half")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def by_request(clock):
    """Have the office confirm every booking, unless a test says otherwise."""
    ServiceType.objects.update(instant_booking=False)


@pytest.fixture
def instant(by_request):
    ServiceType.objects.update(instant_booking=True)


@pytest.fixture
def windows():
    """Four windows with room for 4, on the next days."""
    return [make_window(NOW + day * DAY, units=4) for day in (1, 2, 3, 4)]


def ask(*windows, **kwargs):
    wished = replace(HALF, windows=tuple(one.pk for one in windows))
    return book(request=wished, form_key=uuid4(), **kwargs).job


def fill(*windows):
    for window in windows:
        type(window).objects.filter(pk=window.pk).update(taken=window.units)


def taken(window):
    window.refresh_from_db()
    return window.taken


def refused(*windows):
    """Book, and return the refusal; nothing may have been written."""
    before = Counter.objects.get(name="job").value
    with pytest.raises(WindowFull) as refusal:
        ask(*windows)
    assert not Job.objects.exists()
    assert not Customer.objects.exists()
    assert not RequestedWindow.objects.exists()
    assert Counter.objects.get(name="job").value == before
    return refusal.value


@pytest.mark.usefixtures("instant")
def test_instant_booking_schedules_in_the_first_window(windows):
    job = ask(*windows[:3])
    job.refresh_from_db()
    assert (job.status, job.window, job.window_units) == (Status.SCHEDULED, windows[0], 4)
    assert (job.window_start, job.window_end) == (windows[0].start, windows[0].end)
    event = job.events.get()
    assert (event.kind, event.status) == (JobEvent.Kind.CREATED, Status.SCHEDULED)
    assert (taken(windows[0]), drift(NOW)) == (4, [])


@pytest.mark.usefixtures("instant")
def test_instant_booking_goes_on_to_the_customer_s_next_choice(windows):
    fill(windows[3], windows[1])
    job = ask(windows[3], windows[1], windows[0])
    assert job.window == windows[0]


@pytest.mark.usefixtures("instant")
def test_only_full_windows_are_refused_with_two_others(windows):
    fill(*windows[:2])
    refusal = refused(*windows[:2])
    assert refusal.alternatives == windows[2:]
    assert refusal.code == "window-full"
    assert "Mon Nov 23, 1 p.m. to 3 p.m." in refusal.hint


def test_without_instant_booking_free_windows_are_wishes(windows):
    fill(windows[1])
    job = ask(windows[2], windows[1], windows[0])
    assert (job.status, job.window) == (Status.REQUESTED, None)
    wishes = RequestedWindow.objects.filter(job=job)
    assert [(one.rank, one.window) for one in wishes] == [(1, windows[2]), (2, windows[0])]
    assert taken(windows[2]) == 0


def test_only_full_wishes_are_refused(windows):
    fill(*windows[:2])
    assert refused(*windows[:2]).alternatives == windows[2:]


@pytest.mark.parametrize("is_instant", [True, False])
@pytest.mark.parametrize("start", [-DAY, timedelta(hours=11), 61 * DAY])
def test_windows_over_too_early_or_too_far_are_refused(start, is_instant, windows):
    ServiceType.objects.update(instant_booking=is_instant)
    assert refused(make_window(NOW + start)).alternatives == windows[:2]


def test_unknown_windows_are_refused(windows):
    windows[0].pk = 999_999
    assert refused(windows[0]).alternatives


@pytest.mark.usefixtures("instant")
def test_customers_do_not_get_the_reserve(windows):
    type(windows[0]).objects.update(public_units=3)
    assert refused(windows[0]).alternatives == []


def test_more_than_three_windows_are_refused(windows):
    with pytest.raises(ValueRefused) as refusal:
        ask(*windows)
    assert refusal.value.field == "windows"
    assert not Job.objects.exists()


def test_a_window_named_twice_is_one_wish(windows):
    job = ask(windows[0], windows[0])
    assert RequestedWindow.objects.filter(job=job).count() == 1


@pytest.mark.usefixtures("instant")
def test_a_form_sent_again_answers_with_its_job_even_though_the_window_is_full(windows):
    key = uuid4()
    request = replace(HALF, windows=(windows[0].pk,))
    first = book(request=request, form_key=key)
    again = book(request=request, form_key=key)
    assert (again.created, again.job.pk) == (False, first.job.pk)
    assert taken(windows[0]) == 4


def test_a_booking_without_windows_takes_none(windows):
    job = ask()
    assert (job.status, job.window) == (Status.REQUESTED, None)
