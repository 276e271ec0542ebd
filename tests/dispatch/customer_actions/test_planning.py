"""Moving, cancelling and having a dumpster picked up."""

import pytest
from django.utils import translation

from dispatch.changing import change_details
from dispatch.customer_actions.acting import MOST_A_DAY, TooManyActions
from dispatch.customer_actions.planning import CancelReason, ask_pickup, cancel, move_window
from dispatch.customer_actions.results import Result, result_of
from dispatch.customer_actions.rules import Action, CutOffPassed, possible_actions
from dispatch.errors import ActionRefused, JobChangedMeanwhile
from dispatch.models import JobEvent
from dispatch.statuses import Status
from dispatch.windows.capacity import WindowFull
from dispatch.windows.recount import drift
from tests.builders import make_crew, make_job, make_price
from tests.dispatch.customer_actions.builders import (
    HOUR,
    NOW,
    make_held_job,
    make_placed_job,
    make_windows,
    own_events,
    sent,
)

pytestmark = pytest.mark.django_db


def drop(job, **kwargs):
    values = {"reason": CancelReason.OTHER, "words": "Moving away", "sent": sent(job), **kwargs}
    return cancel(job=job, **values)


def move(job, window, **kwargs):
    return move_window(job=job, window=window.pk, **{"sent": sent(job), **kwargs})


def test_job_moves_to_a_free_window():
    first, second = make_windows(3, 4)
    job = make_held_job(first)
    event = move(job, second)
    job.refresh_from_db()
    assert (job.window, job.window_start, job.status) == (second, second.start, Status.SCHEDULED)
    assert (event.actor, event.kind, result_of(event)) == ("customer", "details", Result.MOVED)
    assert drift(NOW) == []
    assert [window.taken for window in _again(first, second)] == [0, 2]


def test_same_form_again_counts_once():
    first, second, third = make_windows(3, 4, 5)
    job = make_held_job(first)
    form = sent(job)
    event = move(job, second, sent=form)
    assert move(job, second, sent=form) == event
    assert move(job, third, sent=form) == event
    assert drop(job, sent=form) == event
    job.refresh_from_db()
    assert (job.revision, job.window) == (2, second)


def test_key_of_another_job_changes_nothing():
    first, second = make_windows(3, 4)
    job, other = make_held_job(first), make_held_job(first)
    form = sent(job)
    move(job, second, sent=form)
    with pytest.raises(JobChangedMeanwhile):
        move(other, second, sent=form)
    assert own_events(other) == []


def test_stale_page_changes_nothing():
    first, second = make_windows(3, 4)
    job = make_held_job(first)
    form = sent(job)
    change_details(job=job, changes={"crew": make_crew()}, actor="dana")
    with pytest.raises(JobChangedMeanwhile) as refusal:
        move(job, second, sent=form)
    assert "dana" not in str(refusal.value)
    assert own_events(job) == []
    assert drift(NOW) == []


def test_full_window_is_refused_with_two_others():
    first, full, *others = make_windows(3, 4, 5, 6, 7, units=2)
    job = make_held_job(first)
    make_held_job(full)
    with pytest.raises(WindowFull) as refusal:
        move(job, full)
    assert refusal.value.alternatives == others[:2]
    assert "Wednesday, Nov 25" in refusal.value.hint
    assert drift(NOW) == []


def test_customers_get_no_reserved_room():
    first, second = make_windows(3, 4, units=4, public_units=1)
    job = make_held_job(first)
    with pytest.raises(WindowFull) as refusal:
        move(job, second)
    assert refusal.value.alternatives == []
    assert refusal.value.hint == "No other time is free."


@pytest.mark.parametrize("days", [0, 0.4, 61])
def test_windows_that_customers_cannot_book_are_refused(days):
    first, near = make_windows(3, days)
    with pytest.raises(WindowFull):
        move(make_held_job(first), near)


def test_the_same_window_is_not_offered():
    (first,) = make_windows(3)
    with pytest.raises(WindowFull) as refusal:
        move(make_held_job(first), first)
    assert refusal.value.alternatives == []


@pytest.mark.parametrize("act", [move, lambda job, window: drop(job)])
def test_after_the_cut_off_both_are_refused(act):
    near, later = make_windows(1, 4)
    job = make_held_job(near)
    assert {Action.MOVE, Action.CANCEL} <= set(possible_actions(job, NOW))
    with pytest.raises(CutOffPassed) as refusal:
        act(make_held_job(near, window_start=near.start - HOUR), later)
    assert "24 hours" in refusal.value.message
    assert not JobEvent.objects.filter(actor="customer").exists()


@pytest.mark.parametrize("status", [Status.EN_ROUTE, Status.IN_PROGRESS])
@pytest.mark.parametrize("act", [move, lambda job, window: drop(job)])
def test_once_the_crew_is_coming_both_are_refused(act, status):
    first, second = make_windows(3, 4)
    with pytest.raises(ActionRefused) as refusal:
        act(make_held_job(first, status=status), second)
    assert "crew" in refusal.value.message
    assert refusal.value.instead == ()


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
@pytest.mark.parametrize("act", [move, lambda job, window: drop(job)])
def test_ended_job_is_refused(act, status):
    (window,) = make_windows(3)
    job = make_job(status=status)
    with pytest.raises(ActionRefused, match="has ended"):
        act(job, window)
    assert possible_actions(job, NOW) == []


def test_held_job_can_be_cancelled_but_not_moved():
    near, later = make_windows(0.5, 4)
    job = make_held_job(near, on_hold=True, hold_reason="Permit")
    with pytest.raises(ActionRefused, match="paused") as refusal:
        move(job, later)
    assert "Permit" not in str(refusal.value)
    assert result_of(drop(job)) == Result.CANCELLED
    assert drift(NOW) == []


def test_request_can_be_cancelled_but_not_moved():
    (window,) = make_windows(3)
    job = make_job()
    with pytest.raises(ActionRefused, match="no confirmed time"):
        move(job, window)
    drop(job)
    job.refresh_from_db()
    assert (job.status, job.cancel_side) == (Status.CANCELLED, "customer")


def test_cancelling_frees_the_window_and_keeps_the_reason():
    (window,) = make_windows(3)
    job = make_held_job(window)
    event = drop(job)
    assert (event.reason, event.actor) == ("Another reason: Moving away", "customer")
    assert drift(NOW) == []
    assert _again(window)[0].taken == 0


def test_placed_dumpster_is_picked_up_instead_of_cancelled():
    job = make_placed_job()
    with pytest.raises(ActionRefused) as refusal:
        drop(job)
    assert refusal.value.instead == (Action.PICKUP,)
    assert Action.CANCEL not in possible_actions(job, NOW)


def test_pickup_takes_a_window_and_the_next_step_in_one_event():
    (window,) = make_windows(3)
    job = make_placed_job()
    make_price(job)
    event = ask_pickup(job=job, window=window.pk, sent=sent(job))
    job.refresh_from_db()
    assert (job.status, job.window, job.revision) == (Status.READY_FOR_PICKUP, window, 2)
    assert result_of(event) == Result.PICKUP
    assert drift(NOW) == []
    assert Action.PICKUP not in possible_actions(job, NOW)


@pytest.mark.parametrize("values", [{}, {"on_hold": True, "hold_reason": "Permit"}])
def test_pickup_that_lacks_something_is_a_wish(values):
    (window,) = make_windows(3)
    job = make_placed_job(**values)
    if values:
        make_price(job)
    event = ask_pickup(job=job, window=window.pk, sent=sent(job))
    job.refresh_from_db()
    assert (job.status, job.window, event.kind) == (Status.ON_SITE, None, "answer")
    assert event.changes == {"pickup": ["", "Mon Nov 23, 1 p.m. to 3 p.m."]}
    assert result_of(event) == Result.PICKUP_ASKED
    assert _again(window)[0].taken == 0


def test_office_reads_english_whatever_the_customer_s_language():
    (window,) = make_windows(3)
    placed, job = make_placed_job(), make_job()
    with translation.override("es"):
        wish = ask_pickup(job=placed, window=window.pk, sent=sent(placed))
        cancelled = drop(job)
    assert wish.changes == {"pickup": ["", "Mon Nov 23, 1 p.m. to 3 p.m."]}
    assert cancelled.reason == "Another reason: Moving away"


def test_pickup_without_a_window_is_a_wish():
    job = make_placed_job()
    make_price(job)
    event = ask_pickup(job=job, window=None, sent=sent(job))
    assert event.changes == {"pickup": ["", "as soon as possible"]}


def test_pickup_of_a_full_window_is_refused():
    (full,) = make_windows(3, units=1)
    make_held_job(full, units=1)
    job = make_placed_job()
    make_price(job)
    with pytest.raises(WindowFull):
        ask_pickup(job=job, window=full.pk, sent=sent(job))


@pytest.mark.parametrize("job", [{}, {"service": "dumpster-10", "status": Status.SCHEDULED}])
def test_pickup_of_anything_else_is_refused(job):
    job = make_job(**job)
    with pytest.raises(ActionRefused):
        ask_pickup(job=job, window=None, sent=sent(job))


def test_changes_a_day_are_limited():
    job = make_placed_job()
    for _ in range(MOST_A_DAY):
        ask_pickup(job=job, window=None, sent=sent(job, revision=None))
    with pytest.raises(TooManyActions):
        ask_pickup(job=job, window=None, sent=sent(job, revision=None))


def _again(*windows):
    for window in windows:
        window.refresh_from_db()
    return windows
