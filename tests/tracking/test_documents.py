import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from dispatch.changing import change_details, move_job
from dispatch.models import JobEvent
from dispatch.statuses import Status
from tests.builders import make_crew, make_customer, make_job, make_price, make_service
from tracking.documents import public_document, to_bytes

pytestmark = pytest.mark.django_db
ALLOWED = {
    "v", "number", "status", "label", "flow", "service", "window", "area", "first_name",
    "price", "crew", "updated_at", "revision",
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
                   "99709", "pat", "customer"]:  # fmt: skip
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
    job = make_job()
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    times = {step["code"]: step["at"] for step in public_document(job)["flow"]}
    assert times["requested"]
    assert times["scheduled"]
    assert times["ready_for_pickup"] is None


def test_rescheduling_clears_the_times_of_later_steps(time_machine):
    time_machine.move_to("2026-11-20T12:00Z", tick=False)
    job = make_job()
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
    job = make_job()
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    move_job(job=job, to=Status.CANCELLED, actor="pat", reason="sold it", side="customer")
    codes = [step["code"] for step in public_document(job)["flow"]]
    assert codes == ["requested", "scheduled", "cancelled"]


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


def later():
    return timezone.now() + timedelta(hours=2)
