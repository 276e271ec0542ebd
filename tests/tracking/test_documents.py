import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.translation import get_language

from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Job, JobEvent
from dispatch.prices import parse_price
from dispatch.statuses import Status
from dispatch.stepping import advance, step_back
from dispatch.visits import Failure, fail_visit, failed
from tests.builders import (
    make_crew,
    make_customer,
    make_job,
    make_planned_job,
    make_price,
    make_service,
)
from tracking.documents import moment, public_document, to_bytes

pytestmark = pytest.mark.django_db
ALLOWED = {
    "v", "lang", "number", "status", "label", "flow", "service", "window", "area", "first_name",
    "price", "crew", "on_hold", "late_by", "placed", "cancelled_by", "price_question", "updated_at",
    "revision",
}  # fmt: skip


def test_document_of_marks_job():
    customer = make_customer(name="Mark Halvorsen", email="mark@example.com")
    job = make_job(
        customer=customer,
        crew=make_crew(name="Denali"),
        status=Status.READY_FOR_PICKUP,
        window_start=datetime(2026, 11, 21, 18, tzinfo=UTC),
        window_end=datetime(2026, 11, 21, 20, tzinfo=UTC),
    )
    make_price(job)
    document = public_document(job)
    assert document | {"flow": [], "updated_at": ""} == {
        "v": 1,
        "lang": "en",
        "number": job.label,
        "status": "ready_for_pickup",
        "label": "Ready for pickup",
        "flow": [],
        "service": "Junk removal",
        "window": {"start": "2026-11-21T18:00:00Z", "end": "2026-11-21T20:00:00Z"},
        "area": "Soderblom Avenue, Fairbanks",
        "first_name": "Mark",
        "price": "$600 all-in",
        "crew": "Denali",
        "on_hold": False,
        "late_by": 0,
        "placed": False,
        "cancelled_by": None,
        "price_question": None,
        "updated_at": "",
        "revision": 1,
    }


def test_document_has_only_the_allowed_keys():
    document = public_document(make_job(window_start=timezone.now(), window_end=later()))
    assert set(document) == ALLOWED
    assert {key for step in document["flow"] for key in step} == {"code", "label", "at"}
    assert set(document["window"]) == {"start", "end"}


def test_document_has_nothing_to_find_or_call_a_person_by():
    customer = make_customer(name="Mark Halvorsen", phone="+19075550142", email="m@example.com")
    job = make_job(
        customer=customer,
        unit="Apt 77",
        access_notes="gate code 5150",
        details="left of the shed",
        status=Status.CANCELLED,
    )
    change_details(job=job, changes={"on_hold": True, "hold_reason": "dog bites"}, actor="pat")
    text = to_bytes(public_document(job)).decode()
    for secret in ["Halvorsen", "555", "0142", "example.com", "1423", "77", "5150", "shed", "dog",
                   "99709", "pat"]:  # fmt: skip
        assert secret not in text.replace(job.label, "")


def test_equal_documents_have_equal_bytes():
    job = make_job()
    body = to_bytes(public_document(job))
    assert body == to_bytes(public_document(job))
    assert json.loads(body) == public_document(job)
    assert b": " not in body


def test_unset_values_are_null():
    document = public_document(make_job())
    assert (document["window"], document["price"], document["crew"]) == (None, None, None)


def test_flow_of_a_haul_has_no_dumpster_step():
    assert [step["code"] for step in public_document(make_job())["flow"]] == [
        "requested", "scheduled", "ready_for_pickup", "en_route", "in_progress", "completed"
    ]  # fmt: skip


def test_flow_of_a_dumpster_has_the_step_on_site():
    job = make_job(service="dumpster-10")
    assert "on_site" in [step["code"] for step in public_document(job)["flow"]]


def test_steps_have_the_time_they_were_reached():
    job = make_planned_job()
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    times = {step["code"]: step["at"] for step in public_document(job)["flow"]}
    assert times["requested"]
    assert times["scheduled"]
    assert times["ready_for_pickup"] is None


def test_rescheduling_clears_the_times_of_later_steps(time_machine):
    time_machine.move_to("2026-11-20T12:00Z", tick=False)
    job = make_planned_job(window_end=later(days=2))
    for status in [Status.SCHEDULED, Status.READY_FOR_PICKUP, Status.EN_ROUTE]:
        move_job(job=job, to=status, actor="pat")
    time_machine.move_to("2026-11-21T12:00Z", tick=False)
    move_job(job=job, to=Status.SCHEDULED, actor="pat", reason="truck broke down")
    times = {step["code"]: step["at"] for step in public_document(job)["flow"]}
    assert times["requested"] == "2026-11-20T12:00:00Z"
    assert times["scheduled"] == "2026-11-21T12:00:00Z"
    assert times["ready_for_pickup"] is times["en_route"] is None


def test_details_do_not_count_as_reaching_a_status(time_machine):
    time_machine.move_to("2026-11-20T12:00Z", tick=False)
    job = make_job()
    time_machine.move_to("2026-11-21T12:00Z", tick=False)
    change_details(job=job, changes={"details": "a couch"}, actor="pat")
    assert public_document(job)["flow"][0]["at"] == "2026-11-20T12:00:00Z"


def test_cancelled_job_shows_how_far_it_got():
    job = make_planned_job()
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    move_job(job=job, to=Status.CANCELLED, actor="pat", reason="sold it", side="customer")
    codes = [step["code"] for step in public_document(job)["flow"]]
    assert codes == ["requested", "scheduled", "cancelled"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [(Status.SCHEDULED, True), (Status.EN_ROUTE, True), (Status.CANCELLED, False)],
)
def test_hold_is_shown_while_the_job_is_open(status, shown):
    job = make_job(status=status, on_hold=True, hold_reason="dog bites")
    assert public_document(job)["on_hold"] is shown


def test_flow_includes_a_status_that_the_service_lacks():
    job = make_job(service="dumpster-10", status=Status.ON_SITE)
    job.service = make_service("junk")
    assert "on_site" in [step["code"] for step in public_document(job)["flow"]]


def test_events_after_the_job_was_read_are_ignored():
    job = make_job(status=Status.SCHEDULED)
    JobEvent.objects.create(
        job=job, kind="status", status="scheduled", revision=2, actor="pat",
    )  # fmt: skip
    first = JobEvent.objects.get(job=job, revision=1)
    at = public_document(job)["flow"][1]["at"]
    assert at == first.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_texts_are_in_the_language_of_the_job():
    job = make_job(language="es", service="junk")
    make_price(job)
    document = public_document(job)
    assert (document["lang"], document["label"]) == ("es", "Solicitado")
    assert document["flow"][-1]["label"] == "Terminado"
    assert document["price"] == "$600, todo incluido"
    assert get_language() == "en-us"


@pytest.mark.parametrize("side", ["customer", "firm"])
def test_document_says_who_cancelled(side):
    job = make_planned_job()
    move_job(job=job, to=Status.CANCELLED, actor="pat", reason="sold it", side=side)
    assert public_document(job)["cancelled_by"] == side


def test_dumpster_is_placed_until_the_job_ends():
    job = make_job(service="dumpster-10", status=Status.ON_SITE)
    assert public_document(job)["placed"]
    job.status = Status.COMPLETED
    assert not public_document(job)["placed"]
    assert not public_document(make_job(service="dumpster-10"))["placed"]


def test_step_that_was_taken_back_leaves_no_time():
    job = make_planned_job(status=Status.READY_FOR_PICKUP)
    move_job(job=job, to=Status.EN_ROUTE, actor="pat")
    before = job.events.first().at
    step_back(job=job, actor="pat", reason="wrong job")
    move_job(job=job, to=Status.IN_PROGRESS, actor="pat")
    times = {step["code"]: step["at"] for step in public_document(job)["flow"]}
    assert times["en_route"] is None
    assert times["ready_for_pickup"] == moment(before)
    assert times["in_progress"] is not None


def test_dumpster_that_was_not_placed_after_all():
    job = make_planned_job(service="dumpster-10", status=Status.SCHEDULED)
    move_job(job=job, to=Status.ON_SITE, actor="pat")
    assert public_document(job)["placed"]
    step_back(job=Job.objects.get(pk=job.pk), actor="pat", reason="wrong job")
    assert not public_document(Job.objects.get(pk=job.pk))["placed"]


@pytest.mark.parametrize(
    ("status", "minutes"), [(Status.SCHEDULED, 30), (Status.EN_ROUTE, 30), (Status.IN_PROGRESS, 0)]
)
def test_delay_is_shown_until_the_work_starts(status, minutes):
    assert public_document(make_planned_job(status=status, late_by=30))["late_by"] == minutes


def test_window_of_a_failed_visit_is_gone_until_it_is_planned_again():
    job = make_planned_job(status=Status.EN_ROUTE)
    fail_visit(job=job, why=Failure.NO_ACCESS, actor="Birch")
    change_details(job=job, changes={"unit": "4"}, actor="pat")
    assert public_document(Job.objects.get(pk=job.pk))["window"] is None
    assert list(failed(Job.objects.all())) == [job]
    change_details(job=job, changes={"window_end": later()}, actor="pat")
    assert public_document(Job.objects.get(pk=job.pk))["window"] is not None
    assert not failed(Job.objects.all()).exists()


@pytest.mark.parametrize(
    "again",
    [
        lambda job: step_back(job=job, actor="pat", reason="wrong job"),
        lambda job: advance(job=job, to=Status.EN_ROUTE, actor="pat"),
    ],
)
def test_window_counts_again_when_the_crew_goes_again(again):
    job = make_planned_job(status=Status.EN_ROUTE)
    fail_visit(job=job, why=Failure.NO_ACCESS, actor="Birch")
    again(job)
    assert public_document(Job.objects.get(pk=job.pk))["window"] is not None
    assert not failed(Job.objects.all()).exists()


def test_new_price_of_a_confirmed_job_is_asked():
    job = make_job(status=Status.SCHEDULED, language="es")
    set_price(job=job, price=parse_price("300"), actor="pat")
    assert public_document(job)["price_question"] is None
    set_price(job=job, price=parse_price("400"), actor="pat", reason="a piano")
    question = {"from": "$300, todo incluido", "to": "$400, todo incluido"}
    assert public_document(job)["price_question"] == question


def test_receipt_has_only_what_was_done():
    job = make_job(status=Status.COMPLETED, window_start=timezone.now(), window_end=later())
    make_price(job)
    document = public_document(job, is_receipt=True)
    assert set(document) == {
        "v", "lang", "number", "status", "label", "service", "price", "revision", "flow",
        "on_hold", "receipt", "updated_at",
    }  # fmt: skip
    assert document["receipt"] is True
    assert [step["code"] for step in document["flow"]] == ["completed"]
    assert document["updated_at"] == document["flow"][0]["at"]
    assert "Soderblom" not in str(document)


def later(**much):
    return timezone.now() + timedelta(**much or {"hours": 2})
