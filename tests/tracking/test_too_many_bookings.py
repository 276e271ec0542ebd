"""The booking form over its limits: nothing typed is lost, and the phone is offered."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from dispatch.models import Job
from tests.tracking.test_views import BOOK, key_in, typed

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, 5, tzinfo=UTC)  # 1:05 PM in Denver


@pytest.fixture(autouse=True)
def one_a_day(settings):
    settings.TIME_ZONE = "America/Denver"
    settings.BOOKINGS_PER_PHONE_DAY = 1
    return settings


def test_form_comes_back_as_typed_with_the_phone_and_the_time(client):
    with time_machine.travel(NOW, tick=False) as clock:
        assert client.post(BOOK, typed()).status_code == 303
        clock.shift(timedelta(hours=2))
        form = typed(details="a couch & a lamp", text_consent="on", load_size="half")
        answer = client.post(BOOK, form)
    text = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (429, str(22 * 3600))
    assert "tomorrow after 1:05 PM" in text
    assert re.search(r'id="notice".*href="tel:\+1', text)
    for part in ("a couch &amp; a lamp", 'value="907-555-0142"', 'value="1423 Soderblom Avenue"'):
        assert part in text
    assert re.search(r'value="junk"\s+selected', text)
    assert re.search(r'value="half"[^>]*\schecked', text)
    assert re.search(r'name="text_consent"[^>]*checked', text)
    assert key_in(answer) == form["form_key"]
    assert "problems-title" not in text
    assert Job.objects.count() == 1


def test_same_form_sent_again_is_never_too_many(client):
    form = typed()
    first = client.post(BOOK, form)
    assert client.post(BOOK, typed()).status_code == 429
    again = client.post(BOOK, form)
    assert (again.status_code, again["Location"]) == (303, first["Location"])


def test_refused_forms_do_not_count(client):
    for _ in range(3):
        assert client.post(BOOK, typed(zip_code="1")).status_code == 422
    assert client.post(BOOK, typed()).status_code == 303


def test_limit_is_per_client_behind_proxies(client, settings):
    settings.BOOKINGS_PER_PHONE_DAY = 0
    settings.BOOKINGS_PER_ADDRESS_HOUR = 1
    settings.TRUSTED_PROXIES = 1

    def send(forwarded):
        headers = {"X-Forwarded-For": forwarded}
        return client.post(BOOK, typed(), headers=headers).status_code

    assert [send("203.0.113.7"), send("203.0.113.7"), send("203.0.113.8")] == [303, 429, 303]
    assert send("198.51.100.1, 203.0.113.8") == 429
