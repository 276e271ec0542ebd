"""What a crew reports of its visit."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from dispatch.changing import change_details, move_job
from dispatch.customer_actions.acting import Sent
from dispatch.customer_actions.planning import move_window
from dispatch.errors import JobChangedMeanwhile, MoveNotAllowed, ValueRefused
from dispatch.models import Job
from dispatch.statuses import Status
from dispatch.visits import DELAYS, Failure, fail_visit, report_arrival, report_delay
from tests.builders import make_job, make_planned_job, make_window

pytestmark = pytest.mark.django_db
S = Status
BY = {"actor": "Birch"}
MINUTE = timedelta(minutes=1)


def stored(job):
    return Job.objects.select_related("service").get(pk=job.pk)


def dumpster(status, **kwargs):
    return make_planned_job(service="dumpster-10", status=status, **kwargs)


# Arrival


def test_arrival_has_the_time_of_the_tap_and_ends_the_delay():
    job, key = make_planned_job(status=S.EN_ROUTE, late_by=15), uuid4()
    tapped_at = timezone.now() - 5 * MINUTE
    report_arrival(job=job, tapped_at=tapped_at, key=key, **BY)
    assert (stored(job).arrived_at, stored(job).late_by) == (tapped_at, 0)
    event = job.events.latest("pk")
    assert (event.tapped_at, event.key, event.kind) == (tapped_at, key, "details")


def test_phone_whose_clock_is_ahead_arrives_now():
    job = make_planned_job(status=S.EN_ROUTE)
    report_arrival(job=job, tapped_at=timezone.now() + 60 * MINUTE, **BY)
    assert stored(job).arrived_at <= timezone.now()


def test_second_arrival_changes_nothing():
    job = make_planned_job(status=S.EN_ROUTE)
    report_arrival(job=job, **BY)
    report_arrival(job=job, **BY)
    assert stored(job).revision == 2


@pytest.mark.parametrize("status", set(Status) - {S.EN_ROUTE, S.IN_PROGRESS})
def test_no_crew_arrives_in_other_statuses(status):
    with pytest.raises(MoveNotAllowed, match="no crew can arrive"):
        report_arrival(job=dumpster(status), **BY)


# Delay


@pytest.mark.parametrize("minutes", DELAYS[1:])
def test_delay_is_one_event(minutes):
    job = make_planned_job(status=S.SCHEDULED)
    report_delay(job=job, minutes=minutes, **BY)
    report_delay(job=job, minutes=minutes, **BY)
    assert (stored(job).late_by, stored(job).revision) == (minutes, 2)
    assert job.events.latest("pk").changes == {"late_by": [0, minutes]}


def test_delay_is_taken_back():
    job = make_planned_job(status=S.EN_ROUTE, late_by=30)
    report_delay(job=job, minutes=0, **BY)
    assert stored(job).late_by == 0


@pytest.mark.parametrize("minutes", [-15, 1, 45])
def test_other_delays_are_refused(minutes):
    with pytest.raises(ValueRefused, match="Expected a delay of 0, 15, 30, 60"):
        report_delay(job=make_planned_job(status=S.SCHEDULED), minutes=minutes, **BY)


@pytest.mark.parametrize(
    "status", set(Status) - {S.SCHEDULED, S.READY_FOR_PICKUP, S.EN_ROUTE}
)  # fmt: skip
def test_what_is_not_awaited_cannot_be_late(status):
    with pytest.raises(MoveNotAllowed, match="cannot run late"):
        report_delay(job=dumpster(status), minutes=15, **BY)


def test_crew_that_has_arrived_cannot_be_late():
    job = make_planned_job(status=S.EN_ROUTE, arrived_at=timezone.now())
    with pytest.raises(MoveNotAllowed, match="cannot run late"):
        report_delay(job=job, minutes=15, **BY)


def test_job_without_a_window_cannot_be_late():
    with pytest.raises(MoveNotAllowed, match="no arrival window"):
        report_delay(job=make_job(status=S.SCHEDULED), minutes=15, **BY)


@pytest.mark.parametrize("to", [S.IN_PROGRESS, S.CANCELLED])
def test_delay_ends_with_the_wait(to):
    job = make_planned_job(status=S.EN_ROUTE, late_by=30)
    move_job(job=job, to=to, side="firm", reason="truck", **BY)
    assert stored(job).late_by == 0


def test_delay_is_of_the_window():
    job = make_planned_job(status=S.SCHEDULED, late_by=30)
    change_details(job=job, changes={"unit": "4"}, **BY)
    assert stored(job).late_by == 30
    later = job.window_end + 60 * MINUTE
    change_details(job=job, changes={"window_end": later}, **BY)
    assert stored(job).late_by == 0
    assert job.events.latest("pk").changes["late_by"] == [30, 0]


def test_delay_ends_when_the_customer_moves_the_job():
    start = timezone.now() + timedelta(days=3)
    times = {"window_start": start, "window_end": start + 60 * MINUTE}
    job = make_planned_job(status=S.SCHEDULED, late_by=30, **times)
    window = make_window(start + timedelta(days=1))
    move_window(job=job, window=window.pk, sent=Sent(key=uuid4()))
    assert stored(job).late_by == 0


# Failed visits


@pytest.mark.parametrize("status", [S.EN_ROUTE, S.IN_PROGRESS])
def test_failed_visit_returns_to_be_scheduled(status):
    job = make_planned_job(status=status, late_by=15, arrived_at=timezone.now())
    start, crew = job.window_start, job.crew
    fail_visit(job=job, why=Failure.NOBODY_HOME, note="Rang twice.", **BY)
    job = stored(job)
    assert (job.status, job.late_by, job.arrived_at) == (S.SCHEDULED, 0, None)
    assert (job.window_start, job.crew) == (start, crew)
    event = job.events.latest("pk")
    assert (event.kind, event.reason) == ("visit", "Rang twice.")
    assert event.changes["visit"] == ["", "nobody_home"]


def test_dumpster_that_was_not_fetched_is_ready_for_pickup():
    job = dumpster(S.ON_SITE)
    move_job(job=job, to=S.READY_FOR_PICKUP, **BY)
    move_job(job=job, to=S.EN_ROUTE, **BY)
    fail_visit(job=job, why=Failure.NO_ACCESS, **BY)
    assert stored(job).status == S.READY_FOR_PICKUP


def test_dumpster_that_was_not_placed_stays_scheduled():
    job = dumpster(S.SCHEDULED)
    fail_visit(job=job, why=Failure.NO_ACCESS, **BY)
    assert (stored(job).status, stored(job).revision) == (S.SCHEDULED, 2)


@pytest.mark.parametrize("status", set(Status) - {S.EN_ROUTE, S.IN_PROGRESS})
def test_no_visit_fails_in_other_statuses(status):
    job = make_planned_job(status=status)
    with pytest.raises(MoveNotAllowed, match="no visit can fail"):
        fail_visit(job=job, why=Failure.TRUCK, **BY)


def test_another_reason_needs_a_note():
    with pytest.raises(ValueRefused) as refusal:
        fail_visit(
            job=make_planned_job(status=S.EN_ROUTE), why=Failure.OTHER, note=" ", **BY
        )  # fmt: skip
    assert refusal.value.field == "note"


def test_job_that_the_office_cancelled_meanwhile_names_the_office():
    job = make_planned_job(status=S.EN_ROUTE)
    crews = stored(job)
    move_job(job=job, to=S.CANCELLED, side="firm", reason="storm", actor="olga")
    with pytest.raises(JobChangedMeanwhile, match="by olga"):
        fail_visit(job=crews, why=Failure.TRUCK, **BY)
