"""Several steps in one call, and a step back."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from dispatch.changing import AlreadyThere, change_details, move_job, set_price
from dispatch.customer_actions.acting import Sent
from dispatch.customer_actions.planning import ask_pickup
from dispatch.errors import JobChangedMeanwhile, MoveNotAllowed, NotUndone, ValueRefused
from dispatch.guards import GuardRefused
from dispatch.models import Job, ServiceWindow
from dispatch.prices import parse_price
from dispatch.signals import job_changed
from dispatch.statuses import Status
from dispatch.stepping import advance, last_step, step_back, steps_to
from dispatch.undoing import undo
from dispatch.visits import Failure, fail_visit, report_arrival, report_delay
from dispatch.windows.capacity import WindowFull
from tests.builders import make_job, make_planned_job, make_window

pytestmark = pytest.mark.django_db
S = Status
HOUR = timedelta(hours=1)
BY = {"actor": "dana"}
BACK = {**BY, "reason": "wrong job"}


def stored(job):
    return Job.objects.select_related("service").get(pk=job.pk)


def moves(job):
    return [event.changes["status"][1] for event in job.events.filter(changes__has_key="status")]


def held(**kwargs):
    """Make a planned job that takes room in a window."""
    window = make_window(timezone.now().replace(second=0, microsecond=0) - HOUR)
    times = {"window_start": window.start, "window_end": window.end}
    job = make_planned_job(
        **{**kwargs, "load_size": "half", "window_start": None, "window_end": None}
    )
    change_details(job=job, changes=times, **BY)
    return job


def placed_dumpster(**kwargs):
    return make_planned_job(service="dumpster-10", status=S.ON_SITE, **kwargs)


@pytest.fixture
def quiet_events():
    """The revisions of which customers hear nothing."""
    found = []

    def hear(sender, event, quiet, **kwargs):
        found.extend([event.revision] if quiet else [])

    job_changed.connect(hear)
    yield found
    job_changed.disconnect(hear)


# Several steps


def test_scheduled_to_on_the_way_is_two_events():
    job, key = make_planned_job(status=S.SCHEDULED), uuid4()
    advance(job=job, to=S.EN_ROUTE, key=key, **BY)
    assert (stored(job).status, stored(job).revision) == (S.EN_ROUTE, 3)
    assert moves(job) == ["ready_for_pickup", "en_route"]
    assert list(job.events.values_list("key", flat=True)) == [None, None, key]


@pytest.mark.parametrize(
    ("here", "to", "way"),
    [
        (S.REQUESTED, S.EN_ROUTE, [S.SCHEDULED, S.READY_FOR_PICKUP, S.EN_ROUTE]),
        (S.SCHEDULED, S.COMPLETED, [S.READY_FOR_PICKUP, S.IN_PROGRESS, S.COMPLETED]),
        (S.EN_ROUTE, S.COMPLETED, [S.IN_PROGRESS, S.COMPLETED]),
        (S.EN_ROUTE, S.SCHEDULED, []),
        (S.COMPLETED, S.COMPLETED, []),
        (S.CANCELLED, S.SCHEDULED, []),
        (S.SCHEDULED, S.CANCELLED, []),
    ],
)
def test_way_of_a_haul_is_the_shortest(here, to, way):
    assert steps_to(make_job(status=here), to) == way


@pytest.mark.parametrize(
    ("here", "to", "way"),
    [
        (S.SCHEDULED, S.READY_FOR_PICKUP, [S.READY_FOR_PICKUP]),  # named, as move_job allows it
        (S.SCHEDULED, S.EN_ROUTE, [S.ON_SITE, S.READY_FOR_PICKUP, S.EN_ROUTE]),
        (S.REQUESTED, S.ON_SITE, [S.SCHEDULED, S.ON_SITE]),
        (S.ON_SITE, S.IN_PROGRESS, [S.READY_FOR_PICKUP, S.IN_PROGRESS]),
    ],
)
def test_way_of_a_dumpster_leads_over_its_placing(here, to, way):
    assert steps_to(make_job(service="dumpster-10", status=here), to) == way


def test_dumpster_that_was_placed_is_not_placed_again():
    job = placed_dumpster()
    move_job(job=job, to=S.READY_FOR_PICKUP, **BY)
    move_job(job=job, to=S.SCHEDULED, **BY)
    assert steps_to(job, S.EN_ROUTE) == [S.READY_FOR_PICKUP, S.EN_ROUTE]


def test_dumpster_is_not_fetched_before_it_is_placed():
    job = make_planned_job(service="dumpster-10", status=S.SCHEDULED)
    with pytest.raises(GuardRefused):
        advance(job=job, to=S.EN_ROUTE, **BY)
    assert (stored(job).status, stored(job).revision) == (S.SCHEDULED, 1)


@pytest.mark.parametrize(
    ("lacks", "code"),
    [
        ({"crew": None}, "no-crew"),
        ({"window_start": None, "window_end": None}, "no-window"),
        ({"on_hold": True, "hold_reason": "rain"}, "on-hold"),
    ],
)
def test_guard_on_the_way_refuses_all_steps(lacks, code):
    job = make_planned_job(status=S.SCHEDULED, **lacks)
    with pytest.raises(GuardRefused) as refusal:
        advance(job=job, to=S.EN_ROUTE, **BY)
    assert code in [one.code for one in refusal.value.missing]
    assert (stored(job).status, job.events.count()) == (S.SCHEDULED, 1)


def test_advance_overrides_with_a_reason():
    job = make_planned_job(status=S.SCHEDULED, crew=None)
    advance(job=job, to=S.EN_ROUTE, force=True, reason="a friend drives", **BY)
    assert job.events.latest("pk").changes["overridden"] == ["", "no crew"]


def test_advance_where_no_way_leads_is_a_move():
    job = make_planned_job(status=S.EN_ROUTE)
    advance(job=job, to=S.SCHEDULED, **BY)
    assert stored(job).status == S.SCHEDULED
    with pytest.raises(AlreadyThere):
        advance(job=job, to=S.SCHEDULED, **BY)
    with pytest.raises(ValueRefused):
        advance(job=job, to=S.CANCELLED, **BY)
    with pytest.raises(MoveNotAllowed):
        advance(job=make_job(status=S.COMPLETED), to=S.IN_PROGRESS, **BY)


# One step back


def test_step_back_is_a_new_event_without_a_message(quiet_events):
    job, key = make_planned_job(status=S.EN_ROUTE), uuid4()
    move_job(job=job, to=S.IN_PROGRESS, **BY)
    step_back(job=job, key=key, **BACK)
    event = job.events.latest("pk")
    assert (stored(job).status, stored(job).revision) == (S.EN_ROUTE, 3)
    assert event.changes == {"status": ["in_progress", "en_route"], "step_back": ["2", "2"]}
    assert (event.kind, event.reason, event.key) == ("status", "wrong job", key)
    assert quiet_events == [3]


@pytest.mark.parametrize("minutes", [29, 30])
def test_step_back_is_possible_for_half_an_hour(minutes):
    now = timezone.now()
    job = make_planned_job(status=S.EN_ROUTE)
    with time_machine.travel(now, tick=False):
        move_job(job=job, to=S.IN_PROGRESS, **BY)
    with time_machine.travel(now + timedelta(minutes=minutes), tick=False):
        assert (last_step(job, timezone.now()) is None) == (minutes == 30)
        if minutes == 29:
            step_back(job=job, **BACK)
        else:
            with pytest.raises(NotUndone, match="30 minutes"):
                step_back(job=job, **BACK)


def test_only_one_step_is_taken_back():
    job = make_planned_job(status=S.SCHEDULED)
    advance(job=job, to=S.EN_ROUTE, **BY)
    step_back(job=job, **BACK)
    assert stored(job).status == S.READY_FOR_PICKUP
    with pytest.raises(NotUndone):
        step_back(job=job, **BACK)
    move_job(job=job, to=S.EN_ROUTE, **BY)
    step_back(job=job, **BACK)


def test_new_job_has_no_step_to_take_back():
    with pytest.raises(NotUndone):
        step_back(job=make_job(status=S.COMPLETED), **BACK)


def test_step_back_needs_a_reason():
    job = make_planned_job(status=S.EN_ROUTE)
    move_job(job=job, to=S.IN_PROGRESS, **BY)
    with pytest.raises(ValueRefused):
        step_back(job=job, reason="  ", **BY)


def test_step_back_of_a_job_that_changed_is_refused():
    job = make_planned_job(status=S.EN_ROUTE)
    stale = stored(job)
    move_job(job=job, to=S.IN_PROGRESS, actor="olga")
    with pytest.raises(JobChangedMeanwhile, match="by olga"):
        step_back(job=stale, **BACK)


def test_completed_job_is_opened_again():
    job = make_planned_job(status=S.IN_PROGRESS)
    move_job(job=job, to=S.COMPLETED, **BY)
    step_back(job=job, **BACK)
    assert stored(job).is_open
    move_job(job=job, to=S.COMPLETED, **BY)


def test_cancelled_job_gets_its_room_back():
    job = held(status=S.SCHEDULED)
    move_job(job=job, to=S.CANCELLED, side="firm", reason="snow", **BY)
    assert ServiceWindow.objects.get().taken == 0
    step_back(job=job, **BACK)
    job = stored(job)
    assert (job.status, job.cancel_side, job.window_units) == (S.SCHEDULED, "", 4)
    assert ServiceWindow.objects.get().taken == 4


def test_cancelled_job_whose_room_is_gone_stays_cancelled():
    job = held(status=S.SCHEDULED)
    move_job(job=job, to=S.CANCELLED, side="firm", reason="snow", **BY)
    ServiceWindow.objects.update(taken=13)
    with pytest.raises(WindowFull):
        step_back(job=job, **BACK)
    assert (stored(job).status, ServiceWindow.objects.get().taken) == (S.CANCELLED, 13)


def test_dumpster_that_was_not_placed_has_its_window_again():
    job = held(status=S.SCHEDULED, service="dumpster-10")
    start = job.window_start
    move_job(job=job, to=S.ON_SITE, **BY)
    assert ServiceWindow.objects.get().taken == 0
    step_back(job=job, **BACK)
    job = stored(job)
    assert (job.window_start, job.window_id is not None) == (start, True)
    assert ServiceWindow.objects.get().taken == job.window_units


def test_dumpster_that_was_not_placed_is_not_out():
    now = timezone.now().replace(second=0, microsecond=0)
    job = make_planned_job(service="dumpster-10", status=S.SCHEDULED)
    with time_machine.travel(now, tick=False):
        move_job(job=job, to=S.ON_SITE, **BY)
        assert (job.was_placed, Job.objects.out().count()) == (True, 1)
        step_back(job=job, **BACK)
    assert (stored(job).was_placed, Job.objects.out().count()) == (False, 0)
    with time_machine.travel(now + 2 * HOUR, tick=False):
        move_job(job=job, to=S.ON_SITE, **BY)
        assert Job.objects.out().get().placed_at == now + 2 * HOUR


def test_dumpster_that_is_not_ready_after_all_is_still_out():
    job = placed_dumpster()
    placed_at = Job.objects.out().get().placed_at
    move_job(job=job, to=S.READY_FOR_PICKUP, **BY)
    step_back(job=job, **BACK)
    assert (stored(job).was_placed, Job.objects.out().get().placed_at) == (True, placed_at)


def test_pickup_that_the_customer_asked_for_is_taken_back_with_its_window():
    window = make_window(timezone.now() + 48 * HOUR)
    job = placed_dumpster(window_start=None, window_end=None)
    ask_pickup(job=job, window=window.pk, sent=Sent(key=uuid4()))
    job = stored(job)
    assert job.status == S.READY_FOR_PICKUP
    step_back(job=job, **BACK)
    job = stored(job)
    assert (job.status, job.window_start, job.window_id) == (S.ON_SITE, None, None)
    assert ServiceWindow.objects.get(pk=window.pk).taken == 0


def test_window_that_was_changed_since_stays():
    job = make_planned_job(service="dumpster-10", status=S.SCHEDULED)
    move_job(job=job, to=S.ON_SITE, **BY)
    start = timezone.now().replace(second=0, microsecond=0) + 24 * HOUR
    times = {"window_start": start, "window_end": start + HOUR}
    change_details(job=job, changes=times, **BY)
    step_back(job=job, **BACK)
    assert (stored(job).window_start, stored(job).window_end) == tuple(times.values())


def test_failed_visit_is_taken_back():
    job = make_planned_job(status=S.EN_ROUTE)
    report_delay(job=job, minutes=30, **BY)
    fail_visit(job=job, why=Failure.NO_ACCESS, **BY)
    assert (stored(job).status, stored(job).late_by) == (S.SCHEDULED, 0)
    step_back(job=job, **BACK)
    assert (stored(job).status, stored(job).late_by) == (S.EN_ROUTE, 30)


def test_arrival_outlives_the_step_back_of_loading():
    job = make_planned_job(status=S.EN_ROUTE)
    report_arrival(job=job, **BY)
    move_job(job=job, to=S.IN_PROGRESS, **BY)
    step_back(job=job, **BACK)
    assert stored(job).arrived_at is not None
    move_job(job=job, to=S.SCHEDULED, **BY)
    assert stored(job).arrived_at is None


# Undo


def test_undo_takes_back_all_steps_of_one_tap(quiet_events):
    job = make_planned_job(status=S.SCHEDULED)
    advance(job=job, to=S.EN_ROUTE, **BY)
    undo(job=job, revision=3, **BY)
    assert (stored(job).status, quiet_events) == (S.SCHEDULED, [4])
    assert job.events.latest("pk").changes["step_back"] == ["3", "2"]


def test_undo_of_a_status_keeps_what_is_not_the_steps(quiet_events):
    job = make_planned_job(status=S.READY_FOR_PICKUP)
    move_job(job=job, to=S.IN_PROGRESS, **BY)
    set_price(job=job, price=parse_price("700"), reason="a piano", **BY)
    step_back(job=job, **BACK)
    assert (stored(job).status, str(stored(job).price)) == (S.READY_FOR_PICKUP, "$700 all-in")
