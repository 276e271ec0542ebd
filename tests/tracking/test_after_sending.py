"""What a job's page says after sending, and at the end; the calendar file; job numbers at /t/."""

from datetime import UTC, datetime

import pytest

from dispatch.models import BookingSettings
from dispatch.statuses import Status
from tests.builders import make_job, make_price
from tests.tracking.builders import make_link

pytestmark = pytest.mark.django_db
WINDOW = {
    "window_start": datetime(2030, 11, 23, 18, tzinfo=UTC),
    "window_end": datetime(2030, 11, 23, 20, tzinfo=UTC),
}


def page_of(client, **kwargs):
    link = make_link(job=make_job(**kwargs))
    return client.get(f"/t/{link.token}/").content.decode()


def test_request_says_by_when_it_is_answered(client):
    BookingSettings.objects.create(pk=1, answer_hours=6)
    text = page_of(client)
    assert "We have your request." in text
    assert "within 6 working hours" in text
    assert "calendar.ics" not in text


def test_scheduled_job_is_booked_and_has_a_calendar_file(client):
    job = make_job(status=Status.SCHEDULED, **WINDOW)
    link = make_link(job=job)
    assert "You\u2019re booked." in client.get(f"/t/{link.token}/").content.decode()
    answer = client.get(f"/t/{link.token}/calendar.ics")
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/calendar")
    assert answer["Cache-Control"] == "private, no-store"
    assert "DTSTART:20301123T180000Z" in text
    assert link.token not in text
    assert "1423" not in text


@pytest.mark.parametrize("token", ["unknown", "revoked", "windowless"])
def test_calendar_file_of_nothing_is_not_found(client, token):
    make_link(token="revoked", job=make_job(status=Status.SCHEDULED, **WINDOW), revoked=True)
    make_link(token="windowless")
    assert client.get(f"/t/{token}/calendar.ics").status_code == 404


def test_completed_job_has_a_receipt_and_can_be_booked_again(client):
    job = make_job(status=Status.COMPLETED)
    make_price(job)
    text = client.get(f"/t/{make_link(job=job).token}/").content.decode()
    assert 'id="receipt">$600 all-in, Today<' in text
    assert 'id="again">' in text


def test_cancelled_job_has_no_tick_no_price_and_nothing_next(client):
    text = page_of(client, status=Status.CANCELLED)
    assert 'id="next-title" hidden' in text
    assert 'id="price-row" hidden' in text
    assert '<li class="stopped">' in text
    assert 'id="again">' in text


@pytest.mark.parametrize("number", ["QDN-1042", "1042", "#1042", " qdn-1042 "])
def test_job_number_is_explained(client, number):
    answer = client.get("/t/", {"link": number})
    assert answer.status_code == 200
    assert "is a job number" in answer.content.decode()


def test_link_that_is_a_number_still_opens_its_job(client):
    make_link(token="1042")
    assert client.get("/t/", {"link": "1042"}).status_code == 302
