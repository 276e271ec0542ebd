"""Imported jobs may lack a phone, a town, a ZIP code, and the token of their link."""

import pytest
from django.core import mail
from django.urls import reverse

from dispatch.changing import move_job
from dispatch.consent import CURRENT, record_consent
from dispatch.models import Job
from dispatch.statuses import Status
from edge.backends import get_backend
from notifications.kinds import Channel, Event
from notifications.models import Message
from notifications.recording import recipients, record
from notifications.sending import send_due
from tests.builders import make_customer, make_job, make_planned_job
from tests.tracking.builders import make_link
from tracking.links import hash_token, rotate, tracking_url
from tracking.models import TrackingLink
from tracking.publishing import publish

pytestmark = pytest.mark.django_db
NOT_KNOWN = {"town": "", "zip_code": "", "contact_name": "Mark Ames"}


def make_unknown(**values):
    customer = make_customer(name="Mark Ames", phone=None)
    return make_planned_job(customer=customer, **NOT_KNOWN, **values)


@pytest.fixture
def unknown():
    """A link of such a job, whose token only the customer has."""
    return make_link(job=make_unknown(), token="", token_sha256=hash_token("a b"))


def test_pages_of_the_office(desk, unknown):
    for query in ({}, {"q": "Ames"}, {"q": "907-555-0142"}, {"q": "1423"}):
        assert desk.get("/admin/dispatch/job/", query).status_code == 200
        assert desk.get("/admin/dispatch/customer/", query).status_code == 200
    page = desk.get(f"/admin/dispatch/job/{unknown.job_id}/change/").content.decode()
    assert "no phone number" in page
    assert "None" not in page.split("<main")[-1].split("customer_line")[-1][:500]
    assert "only its fingerprint was kept" in page
    customer = unknown.job.customer_id
    assert desk.get(f"/admin/dispatch/customer/{customer}/change/").status_code == 200


def test_link_can_be_replaced(desk, unknown):
    page = reverse("admin:tracking_job_link", args=[unknown.job_id])
    desk.post(page, {"do": "replace", "reason": "token not known"})
    new = TrackingLink.objects.active().get()
    assert new.token
    assert new.token in desk.get(f"/admin/dispatch/job/{unknown.job_id}/change/").content.decode()


def test_board_moves_and_documents(unknown):
    move_job(job=unknown.job, to=Status.SCHEDULED, actor="pat")
    assert publish(objects=get_backend().objects)["written"] == 1
    assert b'"area":"Soderblom Avenue"' in get_backend().objects.get(unknown.key).body


def test_address_shows_what_is_known():
    assert make_unknown().address == "1423 Soderblom Avenue"


def test_url_is_empty_and_the_page_opens(client, unknown):
    assert tracking_url(unknown) == ""
    page = client.get("/t/a%20b/")
    assert page.status_code == 200
    assert "/track/a%20b" in page.content.decode()


def test_no_text_message_without_a_phone(settings):
    settings.SMS_BACKEND = "x"
    job = make_unknown()
    record_consent(job=job, version=CURRENT, ip_address="")
    assert recipients(job) == {}


def test_message_gives_the_firms_phone_instead_of_the_link(unknown, settings):
    Job.objects.filter(pk=unknown.job_id).update(contact_email="mark@example.com")
    job = Job.objects.get()
    record(job=job, event=Event.RECEIVED, key="x", caused_by="pat")
    send_due()
    assert Message.objects.get().channel == Channel.EMAIL
    assert "(907) 555-0100" in mail.outbox[0].body
    assert "/track/" not in mail.outbox[0].body


def test_rotating_makes_a_link_with_a_token(unknown):
    new = rotate(link=unknown, actor="pat", reason="token not known")
    assert tracking_url(new).endswith(new.token)
    assert make_job().customer.e164.startswith("+1")
