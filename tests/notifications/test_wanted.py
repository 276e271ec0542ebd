""" "Send me my link": to the addresses of the job only, and with one answer for all."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dispatch.limits import DAY, HOUR
from dispatch.models import Counter, RecentAttempt, TextConsent
from dispatch.statuses import Status
from notifications import tasks
from notifications.kinds import Channel, Event, State
from notifications.models import Message
from notifications.suppressing import MAX_WANTED_TEXTS, WANTED_USED_UP, why_not
from notifications.wanted import MOST_PER_DAY, answer
from tests.builders import make_customer, make_job
from tests.tracking.builders import make_link
from tracking.links import revoke_link
from tracking.models import TrackingLink
from tracking.wanted import PER_ADDRESS_HOUR

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
PHONE, EMAIL = "+19075550142", "Mark@Example.com"


@pytest.fixture
def job():
    """An open job with a link, whose customer gets emails."""
    customer = make_customer(phone=PHONE, name="Mark Ames")
    job = make_job(customer=customer, contact_email=EMAIL)
    make_link(job=job)
    return job


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def ask(to, *, client=None, **kwargs):
    return (client or Client()).post("/t/send/", {"to": to}, **kwargs)


def asked(to, **kwargs):
    """Ask, and let the task look; return the recipients of new messages."""
    before = set(Message.objects.values_list("pk", flat=True))
    assert ask(to, **kwargs).status_code == 200
    answer(datetime.now(UTC))
    new = Message.objects.exclude(pk__in=before).order_by("pk")
    return [message.recipient for message in new]


class TestWhoGetsWhat:
    @pytest.mark.parametrize(
        "to", ["907-555-0142", " (907) 555 0142", "+1 907 555 0142", EMAIL, "mark@example.COM "]
    )
    def test_link_goes_to_the_address_of_the_job(self, job, to):
        assert asked(to) == [EMAIL]
        message = Message.objects.get()
        assert (message.event, message.caused_by) == (Event.LINK_REQUESTED, "customer")
        assert (message.state, message.language) == (State.QUEUED, "en")

    def test_text_message_needs_consent(self, job, settings):
        settings.SMS_BACKEND = "console"
        assert asked(PHONE) == [EMAIL]
        other = make_job(customer=job.customer, contact_email="")
        make_link(job=other)
        TextConsent.objects.create(job=other, version="1", text="I agree", ip_address="::1")
        assert PHONE in asked(PHONE)

    @pytest.mark.parametrize(
        "to", ["907-555-0143", "other@example.com", "mark@example.com.evil.example", "0142"]
    )
    def test_others_get_nothing(self, job, to):
        ask(to)
        answer(NOW)
        assert not Message.objects.exists()

    def test_typed_address_gets_nothing(self, job):
        """The email of the customer's row is not one that the job was booked with."""
        job.customer.email = "old@example.com"
        job.customer.save()
        assert asked("old@example.com") == []

    @pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
    def test_closed_job(self, status):
        make_link(job=make_job(contact_email=EMAIL, status=status))
        assert asked(EMAIL) == []

    def test_revoked_link_and_hash_only(self, job):
        TrackingLink.objects.update(token="")
        assert asked(EMAIL) == []
        link = TrackingLink.objects.get()
        revoke_link(link=link, actor="dana", reason="lost")
        assert asked(EMAIL) == []

    def test_all_open_jobs_of_a_customer(self, job):
        make_link(job=make_job(customer=job.customer, contact_email="other@example.com"))
        make_link(job=make_job(customer=job.customer, contact_email="", status=Status.COMPLETED))
        assert asked(PHONE) == [EMAIL, "other@example.com"]

    def test_task_of_the_messages_sends_it(self, job, settings, mailoutbox):
        settings.EMAIL_URL = "memorymail://"
        ask(PHONE)
        tasks.send()
        (mail,) = mailoutbox
        link = TrackingLink.objects.get()
        assert mail.to == [EMAIL]
        assert f"/track/{link.token}" in mail.body
        assert link.token not in str(list(Message.objects.values()))

    def test_spanish(self, job, settings, mailoutbox):
        settings.EMAIL_URL = "memorymail://"
        job.language = "es"
        job.save()
        ask(PHONE)
        tasks.send()
        assert mailoutbox[0].subject == f"Su enlace para {job.label}"


class TestSameAnswer:
    TYPED = (PHONE, EMAIL, "907-555-0199", "nobody@example.com", "x@y.example")

    def test_page_and_headers(self, job):
        answers = [ask(to) for to in self.TYPED]
        assert {one.status_code for one in answers} == {200}
        assert len({one.content for one in answers}) == 1
        assert len({str(sorted(one.headers.items())) for one in answers}) == 1

    def test_queries(self, job, django_capture_on_commit_callbacks):
        ask("first@example.com")

        def queries(to):
            with CaptureQueriesContext(connection) as context:
                ask(to, REMOTE_ADDR="203.0.113.7")
            return [re.sub(r"'[^']*'|\d+", "?", one["sql"]) for one in context]

        first, *others = [queries(to) for to in self.TYPED[:PER_ADDRESS_HOUR]]
        assert len(first) >= 4
        assert [one for one in others if one != first] == []

    def test_what_was_typed_is_not_stored(self, job):
        ask(PHONE)
        ask(EMAIL)
        rows = str(list(RecentAttempt.objects.values()) + list(Counter.objects.values()))
        for typed in ("5550142", EMAIL, EMAIL.lower()):
            assert typed not in rows


class TestRefusals:
    @pytest.mark.parametrize("to", ["", "QDN-1001", "12", "a@", "@b", "x" * 300, "a@b\x00.example"])
    def test_what_is_neither_phone_nor_email(self, client, job, to):
        page = ask(to, client=client)
        assert page.status_code == 422
        assert 'id="id_to_error"' in page.content.decode()
        assert not RecentAttempt.objects.exists()

    def test_form_of_another_site(self, client, job):
        page = ask(PHONE, client=client, headers={"Sec-Fetch-Site": "cross-site"})
        assert page.status_code == 403
        assert not RecentAttempt.objects.exists()

    def test_looking_changes_nothing(self, client, job):
        page = client.get("/t/send/", {"to": PHONE})
        assert (page.status_code, page["Location"]) == (302, "/t/")
        assert not RecentAttempt.objects.exists()

    def test_address_has_a_limit(self, clock, job):
        for _ in range(PER_ADDRESS_HOUR):
            assert ask(PHONE).status_code == 200
        assert ask(PHONE).status_code == 429
        assert ask("nobody@example.com").status_code == 429
        assert ask(PHONE, REMOTE_ADDR="203.0.113.9").status_code == 200
        clock.shift(HOUR)
        assert ask(PHONE).status_code == 200

    def test_link_is_sent_once_an_hour_and_a_few_times_a_day(self, clock, job):
        sent = []
        for minute in range(0, 24 * 60, 20):
            clock.move_to(NOW + timedelta(minutes=minute))
            sent += asked(PHONE, REMOTE_ADDR=f"203.0.113.{minute // 20}")
        assert len(sent) == MOST_PER_DAY
        clock.move_to(NOW + DAY + HOUR)
        assert asked(PHONE, REMOTE_ADDR="203.0.113.99") == [EMAIL]

    def test_texts_of_a_job_are_not_used_up(self, job, settings):
        settings.SMS_BACKEND = "console"
        values = {
            "job": job,
            "event": Event.LINK_REQUESTED,
            "channel": Channel.SMS,
            "recipient": PHONE,
            "language": "en",
        }
        for number in range(MAX_WANTED_TEXTS):
            Message.objects.create(
                key=str(number), caused_by="customer", state=State.SENT, **values
            )
        wanted = Message(key="wanted", caused_by="customer", **values)
        assert why_not(wanted) == WANTED_USED_UP
        assert why_not(Message(key="office", caused_by="dana", **values)) == ""
        assert why_not(Message(**{**values, "event": Event.RECEIVED}, caused_by="customer")) == ""


class TestTask:
    def test_nothing_wanted_costs_one_query(self, job, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert answer(NOW) == 0

    def test_looks_once(self, job):
        ask(PHONE)
        assert answer(NOW) == 1
        assert answer(NOW) == 0

    def test_failure_keeps_the_wish(self, job, monkeypatch):
        ask(PHONE)
        monkeypatch.setattr("notifications.wanted.record", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            answer(NOW)
        monkeypatch.undo()
        assert answer(NOW) == 1
