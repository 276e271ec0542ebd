"""Windows hold what their jobs take: taken, moved, resized and released with the job's change."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from dispatch.changing import change_details, change_job, move_job
from dispatch.errors import JobChangedMeanwhile
from dispatch.models import Job, JobEvent
from dispatch.statuses import Status
from dispatch.windows.capacity import WindowFull, check_room
from dispatch.windows.recount import drift
from tests.builders import make_job, make_service, make_window

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def window():
    return make_window(NOW + 24 * HOUR)


@pytest.fixture
def later():
    return make_window(NOW + 48 * HOUR)


def promise(job, window):
    times = {"window_start": window.start, "window_end": window.end}
    return change_details(job=job, changes=times, actor="dana")


def held(window, load_size="half", **kwargs):
    return promise(make_job(load_size=load_size, **kwargs), window)


def taken(*windows):
    """Return what is taken in each window, which must be what jobs hold."""
    for window in windows:
        window.refresh_from_db()
    assert not drift(NOW)
    return [window.taken for window in windows]


def cancel(job):
    return move_job(
        job=job, to=Status.CANCELLED, actor="dana", side="firm", reason="The truck broke down."
    )


def test_times_of_a_window_take_room_in_it(window):
    job = held(window)
    assert (job.window_id, job.window_units, job.is_outside_windows) == (window.pk, 4, False)
    assert taken(window) == [4]
    job.refresh_from_db()
    assert (job.window_id, job.window_units) == (window.pk, 4)


def test_other_times_are_a_promise_outside_the_windows(window):
    job = make_job()
    times = {"window_start": window.start, "window_end": window.end + HOUR}
    change_details(job=job, changes=times, actor="dana")
    assert (job.window_id, job.window_units, job.is_outside_windows) == (None, 0, True)
    assert taken(window) == [0]


def test_moving_releases_one_window_and_takes_the_other(window, later):
    job = promise(held(window), later)
    assert job.window_id == later.pk
    assert taken(window, later) == [0, 4]


def test_moving_outside_releases(window):
    job = held(window)
    change_details(job=job, changes={"window_end": window.end + HOUR}, actor="dana")
    assert (job.window_id, job.is_outside_windows) == (None, True)
    assert taken(window) == [0]


def test_removing_the_window_releases(window):
    job = held(window)
    change_details(job=job, changes={"window_start": None, "window_end": None}, actor="dana")
    assert (job.window_id, job.is_outside_windows) == (None, False)
    assert taken(window) == [0]


@pytest.mark.parametrize(("load_size", "units"), [("full", 8), ("eighth", 1), ("", 3)])
def test_resizing_takes_or_releases_the_difference(window, load_size, units):
    job = held(window, service=make_service(code="attic", units=3))
    change_details(job=job, changes={"load_size": load_size}, actor="dana")
    assert (taken(window), job.window_units) == ([units], units)


def test_another_service_takes_its_units(window):
    job = held(window, load_size="")
    change_details(job=job, changes={"service": make_service(code="big", units=9)}, actor="dana")
    assert taken(window) == [9]


def test_other_changes_keep_what_is_held(window):
    job = held(window)
    job.service.units_of = None  # not asked
    change_details(job=job, changes={"unit": "4"}, actor="dana")
    assert taken(window) == [4]


def test_cancelling_releases_and_keeps_the_times(window):
    job = cancel(held(window))
    assert (job.window_id, job.window_units) == (None, 0)
    assert (job.window_start, job.window_end) == (window.start, window.end)
    assert not job.is_outside_windows
    assert taken(window) == [0]


def test_a_cancelled_job_takes_nothing_again(window):
    job = cancel(make_job())
    promise(job, window)
    assert (job.window_id, taken(window)) == (None, [0])


def test_a_placed_dumpster_releases_its_delivery_and_takes_its_pickup(window, later):
    dumpster = make_service("dumpster-40", units=2)
    job = held(window, service=dumpster, status=Status.SCHEDULED)
    assert taken(window) == [2]
    move_job(job=job, to=Status.ON_SITE, actor="dana")
    assert (job.window_id, taken(window)) == (None, [0])
    promise(job, later)
    assert taken(window, later) == [0, 2]


def test_a_completed_job_keeps_holding_whatever_was_found_on_site(window):
    job = held(window, status=Status.IN_PROGRESS)
    change_details(job=job, changes={"load_size": "more"}, actor="dana")
    move_job(job=job, to=Status.COMPLETED, actor="dana", force=True, reason="paid in cash")
    assert (job.window_units, taken(window)) == (4, [4])


def test_a_full_window_is_refused_and_nothing_is_written(window, later):
    window.units = window.public_units = 4
    window.save()
    third = make_window(NOW + 72 * HOUR)
    make_window(NOW + 96 * HOUR)
    held(window)
    job = make_job(load_size="eighth")
    with pytest.raises(WindowFull) as refusal:
        promise(job, window)
    assert refusal.value.alternatives == [later, third]
    assert str(refusal.value) == (
        "Sat Nov 21, 1 p.m. to 3 p.m.: 4 of 4 units are taken, and this needs 1. Choose Sun "
        "Nov 22, 1 p.m. to 3 p.m. or Mon Nov 23, 1 p.m. to 3 p.m., or add room under Service "
        "windows, with a reason."
    )
    assert (job.window_start, job.revision, job.events.count()) == (None, 1, 1)
    assert taken(window) == [4]


def test_growing_in_a_full_window_is_refused(window):
    job, _ = held(window, "full"), held(window, "full")
    with pytest.raises(WindowFull):
        change_details(job=job, changes={"load_size": "more"}, actor="dana")
    job.refresh_from_db()
    assert (job.load_size, job.window_units, taken(window)) == ("full", 8, [16])


def test_a_move_into_a_full_window_keeps_the_old_one(window, later):
    held(later, "more")
    job = held(window)
    with pytest.raises(WindowFull):
        promise(job, later)
    assert taken(window, later) == [4, 16]


def test_staff_get_the_reserve(window):
    window.public_units = 2
    window.save()
    held(window, "full")
    assert taken(window) == [8]


def test_a_window_of_the_past_can_be_noted():
    past = make_window(NOW - 5 * HOUR)
    held(past)
    past.refresh_from_db()
    assert past.taken == 4


def test_of_two_changes_from_one_revision_only_one_takes(window, later):
    job = make_job(load_size="half")
    other = Job.objects.get(pk=job.pk)
    promise(job, window)
    with pytest.raises(JobChangedMeanwhile):
        promise(other, later)
    assert taken(window, later) == [4, 0]


def test_checking_room_changes_nothing(window):
    job = make_job(load_size="more")
    times = {"window_start": window.start, "window_end": window.end}
    check_room(job, times)
    held(window, "eighth")
    with pytest.raises(WindowFull):
        check_room(job, times)
    assert taken(window) == [1]


def test_a_count_that_drifted_does_not_stop_a_job(window):
    job = held(window)
    type(window).objects.update(taken=1)
    cancel(job)
    window.refresh_from_db()
    assert window.taken == 0


def test_history_shows_times_and_no_keys(window):
    job = held(window)
    event = job.events.last()
    assert event.kind == JobEvent.Kind.DETAILS
    assert event.changes.keys() == {"window_start", "window_end"}


def test_change_job_itself_keeps_the_count(window):
    job = held(window)
    changes = {"status": Status.CANCELLED, "cancel_side": "firm"}
    change_job(job=job, kind=JobEvent.Kind.STATUS, changes=changes, actor="dana")
    assert taken(window) == [0]
