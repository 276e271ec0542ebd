"""Booking: one job per form, and no change to existing customers."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from dispatch import consent
from dispatch.booking import BookingRequest, book, create_job
from dispatch.errors import DispatchError, StatusUnknown, ValueRefused
from dispatch.guards import GuardRefused
from dispatch.models import Counter, Customer, Job, JobEvent
from dispatch.signals import job_changed
from dispatch.statuses import Status
from dispatch.windows.parsing import parse_window
from tests.builders import make_customer

pytestmark = pytest.mark.django_db

MARK = BookingRequest(
    name="Mark Ames",
    phone="(907) 555-0142",
    email="mark@example.com",
    address_line="1423 Soderblom Avenue",
    town="Fairbanks",
    zip_code="99709",
)
SHELL = {
    "name": "Mark Ames",
    "phone": "907-555-0142",
    "address": "1423 Soderblom Avenue, Fairbanks, 99709",
    "actor": "shell",
}
WINDOW = "2096-11-23 9-11"


def test_booking_makes_a_requested_job():
    booked = book(request=MARK, form_key=uuid4())
    assert booked.created
    assert (booked.job.number, booked.job.status) == (1001, Status.REQUESTED)
    assert str(booked.job.customer.phone.as_e164) == "+19075550142"
    event = booked.job.events.get()
    assert (event.kind, event.revision, event.actor) == (JobEvent.Kind.CREATED, 1, "customer")


def test_second_booking_with_the_same_key_returns_the_first_job():
    key = uuid4()
    first = book(request=MARK, form_key=key)
    second = book(request=replace(MARK, name="Nosy Parker"), form_key=key)
    assert (second.job.pk, second.created) == (first.job.pk, False)
    assert second.job.contact_name == "Mark Ames"
    assert Job.objects.count() == 1


def test_numbers_have_no_gaps():
    numbers = [book(request=MARK, form_key=uuid4()).job.number for _ in range(3)]
    assert numbers == [1001, 1002, 1003]


def test_known_customer_keeps_name_and_email():
    known = make_customer(name="Mark Ames", phone="+19075550142", email="mark@example.com")
    stranger = replace(MARK, name="Nosy Parker", email="nosy@example.com")
    job = book(request=stranger, form_key=uuid4()).job
    known.refresh_from_db()
    assert job.customer == known
    assert (known.name, known.email) == ("Mark Ames", "mark@example.com")
    assert (job.contact_name, job.contact_email) == ("Nosy Parker", "nosy@example.com")


def test_booking_adds_no_email_to_a_known_customer():
    known = make_customer(phone="+19075550142", email="")
    book(request=MARK, form_key=uuid4())
    known.refresh_from_db()
    assert known.email == ""


def test_consent_is_recorded_with_text_and_address():
    asked = replace(MARK, consent_version=consent.CURRENT, remote_address="203.0.113.7")
    proof = book(request=asked, form_key=uuid4()).job.text_consent
    assert (proof.version, proof.ip_address) == (consent.CURRENT, "203.0.113.7")
    assert proof.text == consent.TEXTS[consent.CURRENT]


def test_consent_from_an_invalid_address_is_recorded():
    asked = replace(MARK, consent_version=consent.CURRENT, remote_address="unknown")
    assert book(request=asked, form_key=uuid4()).job.text_consent.ip_address is None


def test_booking_without_consent_records_none():
    assert not hasattr(book(request=MARK, form_key=uuid4()).job, "text_consent")


def test_booking_sends_the_signal():
    seen = []

    def remember(sender, job_id, **kwargs):
        assert connection.in_atomic_block
        seen.append(job_id)

    job_changed.connect(remember)
    try:
        job = book(request=MARK, form_key=uuid4()).job
    finally:
        job_changed.disconnect(remember)
    assert seen == [job.pk]


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": ""},
        {"phone": "   "},
        {"phone": "555-0142"},
        {"phone": "call me"},
        {"name": ""},
        {"name": "x" * 121},
        {"name": "a\x00b"},
        {"email": "not an address"},
        {"address_line": " "},
        {"town": ""},
        {"zip_code": "9970"},
        {"zip_code": "99709-12"},
        {"service": "piano"},
        {"load_size": "planet"},
        {"consent_version": "1999-01"},
    ],
    ids=str,
)
def test_refused_booking_leaves_nothing_behind(wrong):
    with pytest.raises(ValueRefused) as refusal:
        book(request=replace(MARK, **wrong), form_key=uuid4())
    assert refusal.value.code == "value-refused"
    assert refusal.value.hint
    assert not Job.objects.exists()
    assert not Customer.objects.exists()
    assert Counter.objects.get(name="job").value == 1000


def test_create_job_in_a_status_with_a_price():
    job = create_job(**SHELL, price="600 all-in", status="ready_for_pickup", window=WINDOW)
    assert (job.status, str(job.price)) == (Status.READY_FOR_PICKUP, "$600 all-in")
    assert job.service.code == "junk"
    job.refresh_from_db()
    assert (job.window_start, job.window_end) == parse_window(WINDOW)
    assert [event.revision for event in job.events.all()] == [1, 2, 3]
    assert job.revision == 3


def test_create_job_separates_the_unit_from_the_street():
    job = create_job(**SHELL | {"address": "12 Elm St, Apt 4, Fairbanks, AK 99709-1234"})
    assert (job.address_line, job.unit, job.town, job.zip_code) == (
        "12 Elm St",
        "Apt 4",
        "Fairbanks",
        "99709-1234",
    )


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"phone": ""}, ValueRefused),
        ({"phone": "12"}, ValueRefused),
        ({"service": "piano"}, ValueRefused),
        ({"address": "1423 Soderblom Avenue"}, ValueRefused),
        ({"address": "1423 Soderblom Avenue, Fairbanks"}, ValueRefused),
        ({"address": ", Fairbanks, 99709"}, ValueRefused),
        ({"address": "1423 Soderblom Avenue, Fairbanks, 9970"}, ValueRefused),
        ({"address": f"1 A St, {'u' * 31}, Fairbanks, 99709"}, ValueRefused),
        ({"price": "cheap"}, ValueRefused),
        ({"window": "tomorrow"}, ValueRefused),
        ({"crew": "Nobody"}, ValueRefused),
        ({"status": "scheduled"}, GuardRefused),
        ({"status": "scheduled", "window": "2020-11-23 9-11"}, GuardRefused),
        ({"status": "ready_for_pickup", "window": WINDOW}, GuardRefused),
        ({"status": "completed", "price": "400 to 600"}, GuardRefused),
        ({"status": "lost"}, StatusUnknown),
        ({"status": "cancelled"}, ValueRefused),
        ({"status": "on_site"}, ValueRefused),
    ],
    ids=str,
)
def test_refused_creation_leaves_nothing_behind(wrong, error):
    with pytest.raises(DispatchError) as refusal:
        create_job(**{**SHELL, **wrong})
    assert isinstance(refusal.value, error)
    assert refusal.value.hint
    assert not Job.objects.exists()
    assert not Customer.objects.exists()


def test_dumpster_may_start_on_site():
    job = create_job(**SHELL, service="dumpster-10", status="on_site")
    assert job.status == Status.ON_SITE


def test_same_form_sent_concurrently_makes_one_job(together):
    key = uuid4()
    results = together(lambda: book(request=MARK, form_key=key))
    assert sorted(result.created for result in results) == [False] * 5 + [True]
    assert len({result.job.pk for result in results}) == 1
    assert Counter.objects.get(name="job").value == Job.objects.get().number


def test_different_forms_sent_concurrently_make_one_customer(together):
    results = together(lambda: book(request=MARK, form_key=uuid4()))
    assert sorted(result.job.number for result in results) == list(range(1001, 1007))
    assert Customer.objects.count() == 1
