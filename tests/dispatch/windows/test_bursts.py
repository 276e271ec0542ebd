"""Many book one window at once: it is never overbooked, and nobody is left without an answer."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from dispatch.booking import Booked, book
from dispatch.models import Job, ServiceType, ServiceWindow
from dispatch.statuses import Status
from dispatch.windows.capacity import WindowFull
from dispatch.windows.recount import drift
from tests.builders import make_window
from tests.dispatch.test_booking import MARK

ROOM, BOOKINGS, ROUNDS = 3, 64, 10
DAY = timedelta(days=1)


@pytest.fixture
def instant(shared_database):
    ServiceType.objects.update(instant_booking=True)


def requests(windows, number):
    """Return requests of different customers for an eighth of a truck in these windows."""
    wished = replace(MARK, load_size="eighth", windows=tuple(one.pk for one in windows))
    return [replace(wished, phone=f"907-555-01{one:02}") for one in range(number)]


@pytest.mark.usefixtures("instant")
def test_64_bookings_of_a_window_with_room_for_3(together):
    now = timezone.now()
    others = [make_window(now + day * DAY) for day in (30, 31)]
    for number in range(ROUNDS):
        window = make_window(now + DAY + timedelta(hours=3 * number), units=ROOM)
        forms = requests([window], BOOKINGS)
        answers = together(
            lambda forms=forms: book(request=forms.pop(), form_key=uuid4()), times=BOOKINGS
        )
        booked = [one.job for one in answers if isinstance(one, Booked)]
        full = [one for one in answers if isinstance(one, WindowFull)]
        assert (len(booked), len(full)) == (ROOM, BOOKINGS - ROOM), answers
        assert {job.status for job in booked} == {Status.SCHEDULED}
        assert all(one.alternatives == others for one in full)
        window.refresh_from_db()
        assert (window.taken, drift(now)) == (ROOM, [])
        assert Job.objects.filter(window=window).count() == ROOM
    numbers = list(Job.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1001, 1001 + ROOM * ROUNDS))


@pytest.mark.usefixtures("instant")
def test_one_form_sent_24_times_at_once_takes_its_room_once(together):
    window = make_window(timezone.now() + DAY, units=1)
    request, key = requests([window], 1)[0], uuid4()
    answers = together(lambda: book(request=request, form_key=key), times=24)
    assert len({one.job.pk for one in answers}) == 1
    assert sum(one.created for one in answers) == 1
    assert (Job.objects.count(), ServiceWindow.objects.get().taken) == (1, 1)


@pytest.mark.usefixtures("instant")
def test_customers_who_name_the_same_windows_in_another_order_wait_for_each_other(together):
    """Each finds no room in one of the windows. Neither may hold a lock the other waits for."""
    now = timezone.now()
    windows = [make_window(now + day * DAY, units=4) for day in (1, 2, 3)]
    forms = requests(windows, 12) + requests(windows[::-1], 12)
    answers = together(lambda: book(request=forms.pop(), form_key=uuid4()), times=24)
    assert [type(one) for one in answers if not isinstance(one, WindowFull)] == [Booked] * 12
    assert [one.taken for one in ServiceWindow.objects.all()] == [4, 4, 4]
    assert drift(now) == []
