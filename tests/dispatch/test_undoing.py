"""Undoing the latest change: what can be undone, by whom, and for how long."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from dispatch.changing import change_details, move_job, set_price
from dispatch.errors import JobChangedMeanwhile, NotUndone
from dispatch.models import Crew, Job, ServiceWindow
from dispatch.once import do_once
from dispatch.prices import parse_price
from dispatch.runs import assign, run_of
from dispatch.statuses import Status
from dispatch.undoing import may_undo, undo
from dispatch.visits import report_arrival, report_delay
from dispatch.windows.capacity import WindowFull
from tests.builders import make_crew, make_job, make_planned_job, make_service, make_window

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": "dana"}
NOON = timezone.now().replace(second=0, microsecond=0) + timedelta(days=2)


def stored(job):
    return Job.objects.select_related("crew", "service").get(pk=job.pk)


def undo_last(job, **kwargs):
    job = stored(job)
    return undo(job=job, revision=job.revision, **{**BY, **kwargs})


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ({}, {"on_hold": True, "hold_reason": "rain"}),
        ({"on_hold": True, "hold_reason": "rain"}, {"on_hold": False}),
        ({"contact_name": "Ann Berg"}, {"contact_name": "Anne Berg", "unit": "4"}),
        ({"requested_day": NOON.date()}, {"requested_day": None, "rental_days": 3}),
        ({"late_by": 30, "window_start": NOON, "window_end": NOON + timedelta(hours=2)},
         {"window_start": NOON + timedelta(hours=1)}),
        ({}, {"window_start": NOON, "window_end": NOON + timedelta(hours=2)}),
    ],
)  # fmt: skip
def test_details_are_as_before(before, changes):
    job = make_job(**before)
    values = {name: getattr(job, name) for name in [*changes, *before, "hold_reason"]}
    change_details(job=job, changes=changes, **BY)
    undo_last(job)
    job = stored(job)
    assert {name: getattr(job, name) for name in values} == values
    event = job.events.latest("pk")
    assert (event.revision, event.reason, event.actor) == (3, "Undone", "dana")


def test_job_is_with_its_crew_again_and_has_its_place():
    crew, other = make_crew(), make_crew()
    today = timezone.localdate()
    jobs = [make_planned_job(crew=crew) for _ in range(3)]
    assign(job=jobs[2], crew=crew, day=today, before=jobs[0].pk, **BY)
    assign(job=jobs[0], crew=other, day=today, **BY)
    undo_last(jobs[0])
    assert run_of(crew, today, today=today) == [jobs[2], jobs[0], jobs[1]]
    assert run_of(other, today, today=today) == []


def test_undone_window_takes_its_room_again():
    first, second = (make_window(NOON + timedelta(hours=n)) for n in (0, 4))
    job = make_job(load_size="half")
    change_details(job=job, changes={"window_start": first.start, "window_end": first.end}, **BY)
    change_details(job=job, changes={"window_start": second.start, "window_end": second.end}, **BY)
    undo_last(job)
    assert [one.taken for one in ServiceWindow.objects.order_by("start")] == [4, 0]


def test_window_that_filled_up_is_not_taken_back():
    first, second = (make_window(NOON + timedelta(hours=n), units=4) for n in (0, 4))
    job = make_job(load_size="half")
    change_details(job=job, changes={"window_start": first.start, "window_end": first.end}, **BY)
    change_details(job=job, changes={"window_start": second.start, "window_end": second.end}, **BY)
    ServiceWindow.objects.filter(pk=first.pk).update(taken=1)
    with pytest.raises(WindowFull):
        undo_last(job)
    assert stored(job).window_id == second.pk


def test_replaced_price_comes_back_as_a_new_row():
    job = make_planned_job()
    set_price(job=job, price=parse_price("700 estimate"), reason="a piano", **BY)
    set_price(job=job, price=parse_price("400 to 600"), reason="no piano", **BY)
    undo_last(job)
    assert [str(price) for price in job.prices.order_by("pk")] == [
        "$600 all-in", "$700 estimate", "$400 to $600", "$700 estimate",
    ]  # fmt: skip


def test_first_price_is_not_undone():
    job = make_job()
    set_price(job=job, price=parse_price("600"), **BY)
    with pytest.raises(NotUndone, match="first price"):
        undo_last(job)


@pytest.mark.parametrize(
    "change",
    [
        lambda job: change_details(job=job, changes={"access_notes": "gate 1234"}, **BY),
        lambda job: change_details(job=job, changes={"service": make_service("attic")}, **BY),
        lambda job: report_delay(job=job, minutes=30, **BY),
        lambda job: report_arrival(job=job, **BY),
    ],
    ids=["access notes", "service", "delay", "arrival"],
)
def test_what_has_no_way_back_is_refused(change):
    job = make_planned_job(status=Status.EN_ROUTE)
    change(job)
    assert not may_undo(job.events.latest("pk"), timezone.now())
    with pytest.raises(NotUndone, match="cannot be undone"):
        undo_last(job)
    assert stored(job).revision == 2


def test_creation_is_not_undone():
    with pytest.raises(NotUndone):
        undo_last(make_job(), actor="test")


def test_step_back_is_not_undone():
    job = make_planned_job()
    move_job(job=job, to=Status.SCHEDULED, **BY)
    undo_last(job)
    with pytest.raises(NotUndone, match="step back"):
        undo_last(job)


def test_undone_details_can_be_done_again_by_undo():
    job = make_job()
    change_details(job=job, changes={"unit": "4"}, **BY)
    undo_last(job)
    undo_last(job)
    assert stored(job).unit == "4"


@pytest.mark.parametrize("seconds", [59, 60])
def test_undo_is_possible_for_a_minute(seconds):
    now = timezone.now()
    job = make_job()
    with time_machine.travel(now, tick=False):
        change_details(job=job, changes={"unit": "4"}, **BY)
    with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
        if seconds == 59:
            undo_last(job)
        else:
            with pytest.raises(NotUndone, match="too late"):
                undo_last(job)


def test_change_of_another_is_not_undone():
    job = make_job()
    change_details(job=job, changes={"unit": "4"}, actor="olga")
    with pytest.raises(NotUndone, match="by olga"):
        undo_last(job)


def test_change_that_is_not_the_latest_is_not_undone():
    job = make_job()
    change_details(job=job, changes={"unit": "4"}, **BY)
    change_details(job=job, changes={"unit": "5"}, actor="olga")
    with pytest.raises(JobChangedMeanwhile, match="by olga"):
        undo(job=stored(job), revision=2, **BY)
    assert stored(job).unit == "5"


def test_crew_that_is_gone_is_named():
    crew = make_crew(name="Elm")
    job = make_planned_job(crew=crew)
    change_details(job=job, changes={"crew": None}, **BY)
    Crew.objects.filter(pk=crew.pk).update(name="Oak")
    with pytest.raises(NotUndone, match="Elm"):
        undo_last(job)


def test_same_undo_twice_counts_once():
    job, key = make_job(), uuid4()
    change_details(job=job, changes={"unit": "4"}, **BY)
    seen = job.revision
    events = [
        do_once(
            job=job, key=key, do=lambda: undo(job=stored(job), revision=seen, key=key, **BY)
        )
        for _ in range(2)
    ]  # fmt: skip
    assert events[0] == events[1]
    assert (stored(job).unit, stored(job).revision) == ("", 3)
