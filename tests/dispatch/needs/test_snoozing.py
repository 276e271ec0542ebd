"""Snoozing a need, and what ends it."""

import pytest
import time_machine

from dispatch.changing import change_details, move_job
from dispatch.errors import ValueRefused
from dispatch.models import Job, Snooze
from dispatch.needs.listing import count_by_rule, jobs_of, jobs_of_any
from dispatch.needs.snoozing import HOURS, snooze
from dispatch.statuses import Status
from tests.builders import make_window
from tests.dispatch.needs.needing import DAY, HOUR, MINUTE, NOW, at, late, needs_you, window

pytestmark = pytest.mark.django_db


def sleep(job, **kwargs):
    values = {"rule": "late", "hours": 4, "reason": "The crew called", "actor": "dana", **kwargs}
    with at(NOW):
        return snooze(job=job, **values)


@pytest.mark.parametrize("hours", HOURS)
def test_snooze_ends_by_itself(hours):
    job = late()
    sleep(job, hours=hours)
    end = NOW + hours * HOUR
    assert not jobs_of("late", end - MINUTE).exists()
    assert set(jobs_of("late", end)) == {job}


def test_snoozed_job_is_nowhere():
    sleep(late())
    assert needs_you(NOW) == []
    assert count_by_rule(NOW)["late"] == 0
    assert not jobs_of_any(NOW).exists()


def test_snooze_is_for_one_job_and_one_rule():
    job, other = late(), late()
    Job.objects.filter(pk=job.pk).update(crew=None, **window(NOW - HOUR))
    sleep(job, rule="no-crew")
    assert set(jobs_of("no-crew", NOW)) == set()
    assert set(jobs_of("late", NOW + HOUR)) == {job, other}


def test_snooze_ends_when_the_status_changes():
    job = late()
    sleep(job)
    with at(NOW + MINUTE):
        move_job(job=job, to=Status.READY_FOR_PICKUP, actor="dana")
        move_job(job=job, to=Status.EN_ROUTE, actor="dana")
    assert set(jobs_of("late", NOW + MINUTE)) == {job}


def test_snooze_lasts_through_other_changes():
    job = late()
    sleep(job)
    with at(NOW + MINUTE):
        change_details(job=job, changes={"details": "Two sofas"}, actor="dana")
    assert not jobs_of("late", NOW + MINUTE).exists()


def test_second_snooze_after_a_step_counts():
    job = late()
    sleep(job)
    with at(NOW + MINUTE):
        move_job(job=job, to=Status.READY_FOR_PICKUP, actor="dana")
    with at(NOW + 2 * MINUTE):
        snooze(rule="ready-and-over", job=job, hours=1, reason="Traffic", actor="dana")
    assert needs_you(NOW + 3 * MINUTE) == []


def test_rule_without_jobs_is_snoozed_as_a_whole():
    drifted = make_window(NOW + DAY)
    type(drifted).objects.filter(pk=drifted.pk).update(taken=5)
    sleep(None, rule="window-drift", hours=1)
    assert needs_you(NOW) == []
    assert [need.rule for need in needs_you(NOW + HOUR)] == ["window-drift"]


def test_snooze_keeps_who_and_why():
    row = sleep(late(), reason="  The crew\n called ")
    assert (row.reason, row.actor, row.until) == ("The crew called", "dana", NOW + 4 * HOUR)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"rule": "nap"}, "rule"),
        ({"rule": "window-drift"}, "job"),
        ({"hours": 2}, "hours"),
        ({"hours": 0}, "hours"),
        ({"reason": " \n "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
    ],
)
def test_refusals(values, field):
    with pytest.raises(ValueRefused) as refusal:
        sleep(late(), **values)
    assert refusal.value.field == field
    assert not Snooze.objects.exists()


def test_rule_about_jobs_needs_one():
    with pytest.raises(ValueRefused), time_machine.travel(NOW, tick=False):
        snooze(rule="late", job=None, hours=1, reason="Later", actor="dana")
