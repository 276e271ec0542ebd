"""What a customer typed is kept when the database fails or the half hour ends."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from dispatch.models import Job, JobEvent
from dispatch.statuses import Status
from tests.builders import make_customer, make_job
from tests.tracking.builders import make_link

pytestmark = pytest.mark.django_db
OWN = {"headers": {"Sec-Fetch-Site": "same-origin"}}
NOTE = 'The "blue" gate & <b>the dog</b>\nis friendly'


@pytest.fixture
def link():
    customer = make_customer(phone="+19075550142")
    return make_link(job=make_job(customer=customer, status=Status.SCHEDULED), token="AB.12")


def form(**values):
    return {"form_key": str(uuid4()), "revision": "1", **values}


def enter(client, url="/t/AB.12/unlock/", **values):
    return client.post(url, {"digits": "0142", **values}, **OWN)


def kept(page):
    """Return the hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', page, re.DOTALL)
    return {name: unescape(value) for name, value in found}


def test_form_is_kept_when_the_database_fails(client, link, monkeypatch):
    enter(client)
    sent = form(note=NOTE)
    with monkeypatch.context() as broken:
        broken.setattr("tracking.action_views.refusal_of", fail)
        broken.setattr("tracking.action_views._answer", fail)
        answer = client.post("/t/AB.12/photos/", sent, **OWN)
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert answer["Cache-Control"] == "private, no-store"
    assert kept(page) == sent
    assert "<b>the dog" not in page
    assert 'action="/t/AB.12/photos/"' in page
    again = client.post("/t/AB.12/photos/", kept(page), **OWN)
    assert again["Location"] == "/t/AB.12/?done=added"
    assert "friendly" in Job.objects.get().details


def fail(*args, **kwargs):
    raise OperationalError("database is locked")


def test_form_that_was_saved_after_all_counts_once(client, link):
    enter(client)
    sent = form(note="once")
    for _ in range(2):
        client.post("/t/AB.12/photos/", sent, **OWN)
    assert JobEvent.objects.filter(key=sent["form_key"]).count() == 1


def test_form_is_kept_when_the_half_hour_ends(client, link):
    sent = form(code=NOTE)
    now = timezone.now()
    with time_machine.travel(now - timedelta(minutes=31), tick=False):
        enter(client)
    answer = client.post("/t/AB.12/gate/", sent, **OWN)
    page = answer.content.decode()
    assert (answer.status_code, kept(page)) == (403, sent)
    assert 'action="/t/AB.12/unlock/?next=gate%2F"' in page
    wrong = enter(client, "/t/AB.12/unlock/?next=gate%2F", **{**sent, "digits": "9999"})
    assert (wrong.status_code, kept(wrong.content.decode())) == (422, sent)
    right = enter(client, "/t/AB.12/unlock/?next=gate%2F", **sent)
    page = right.content.decode()
    assert (right.status_code, kept(page)) == (200, sent)
    assert 'action="/t/AB.12/gate/"' in page
    done = client.post("/t/AB.12/gate/", kept(page), **OWN)
    assert done["Location"] == "/t/AB.12/?done=code-given"
    assert "friendly" in Job.objects.get().access_notes


def test_page_of_another_site_fills_in_nothing(client, link):
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = client.post("/t/AB.12/gate/", form(code="evil"), headers=headers)
    assert answer.status_code == 303
    assert enter(client, code="evil").content.decode().count("evil") == 2  # shown, not sent
    assert not Job.objects.exclude(access_notes="").exists()


def test_it_is_in_the_language_of_the_job(client, link):
    Job.objects.update(language="es")
    page = client.post("/t/AB.12/gate/", form(code="x"), **OWN).content.decode()
    assert "Lo que escribió se conserva." in page
    page = enter(client, "/t/AB.12/unlock/?next=gate%2F", **form(code="x")).content.decode()
    assert "Enviarlo ahora" in page


def test_digits_alone_lead_on_as_before(client, link):
    assert enter(client, "/t/AB.12/unlock/?next=gate%2F")["Location"] == "/t/AB.12/gate/"
