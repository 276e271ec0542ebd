"""Doing once what arrives twice."""

from uuid import uuid4

import pytest

from dispatch.changing import change_details, move_job, set_price
from dispatch.errors import JobChangedMeanwhile, MoveNotAllowed
from dispatch.models import Job
from dispatch.once import do_once
from dispatch.prices import parse_price
from dispatch.statuses import Status
from dispatch.stepping import advance, step_back
from dispatch.undoing import undo
from dispatch.visits import Failure, fail_visit, report_arrival, report_delay
from tests.builders import make_job, make_planned_job

pytestmark = pytest.mark.django_db
BY = {"actor": "dana"}
CHANGES = {
    "move": lambda **given: move_job(to=Status.IN_PROGRESS, **given),
    "advance": lambda **given: advance(to=Status.COMPLETED, **given),
    "step back": lambda **given: step_back(reason="wrong job", **given),
    "undo": lambda job, **given: undo(job=job, revision=job.revision, **given),
    "details": lambda **given: change_details(changes={"unit": "4"}, **given),
    "price": lambda **given: set_price(price=parse_price("700"), reason="a piano", **given),
    "arrival": report_arrival,
    "delay": lambda **given: report_delay(minutes=30, **given),
    "failed visit": lambda **given: fail_visit(why=Failure.TRUCK, **given),
}


def stored(job):
    return Job.objects.select_related("service").get(pk=job.pk)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_second_time_leads_to_the_first_event(change):
    job, key = make_planned_job(status=Status.READY_FOR_PICKUP), uuid4()
    move_job(job=job, to=Status.EN_ROUTE, **BY)

    def do():
        change(job=stored(job), key=key, **BY)

    first, second = (do_once(job=job, key=key, do=do) for _ in range(2))
    assert (first, first.key) == (second, key)
    assert stored(job).revision == first.revision


def test_what_changes_nothing_has_no_event():
    job, key = make_job(unit="4"), uuid4()

    def do():
        change_details(job=job, changes={"unit": "4"}, key=key, **BY)

    assert do_once(job=job, key=key, do=do) is None


def test_refusal_is_passed_on():
    job, key = make_job(), uuid4()
    with pytest.raises(MoveNotAllowed):
        do_once(
            job=job,
            key=key,
            do=lambda: move_job(job=job, to=Status.COMPLETED, key=key, **BY),
        )


def test_key_of_another_job_is_refused():
    one, other, key = make_job(), make_job(), uuid4()
    change_details(job=one, changes={"unit": "4"}, key=key, **BY)
    with pytest.raises(JobChangedMeanwhile, match="for another job"):
        do_once(
            job=other,
            key=key,
            do=lambda: change_details(job=other, changes={"unit": "4"}, key=key, **BY),
        )
    assert stored(other).revision == 1
