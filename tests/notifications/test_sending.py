"""Sending to a real mail server that accepts, refuses, hangs up or does not answer."""

from datetime import timedelta

import pytest
from django.core import mail

from dispatch.statuses import Status
from edge.database_clock import database_now
from notifications import sending
from notifications.kinds import Channel, Event, State
from notifications.models import Message, OptOut
from notifications.sending import DELAYS, LEASE, claim_message, send_due
from notifications.suppressing import MAX_TEXTS, OPTED_OUT, TEXTS_USED_UP
from tests.notifications.builders import START, make_customers_job, make_message
from tests.notifications.server import drop, hang
from tracking.models import TrackingLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def noon(database_clock):
    """The database's clock, at an hour when nobody is asleep."""
    database_clock.stop(START)
    return database_clock


def state_of(message):
    message.refresh_from_db()
    return message.state


def test_email_arrives_once_with_the_link(server):
    message = make_message(event=Event.SCHEDULED)
    assert send_due()["sent"] == 1
    assert send_due()["sent"] == 0
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.SENT, 1)
    [(recipients, email)] = server.inbox
    text = email.get_body().get_content()
    assert recipients == ["mark@example.com"]
    assert email["Subject"] == "You are booked: Tuesday, Nov 24, 9:00 to 11:00 AM"
    assert "Hi Mark," in text
    assert f"/track/secret-token-of-{message.job.number}" in text
    assert "(907) 555-0100" in text


def test_appointment_is_attached(server):
    make_message(event=Event.SCHEDULED)
    make_message(event=Event.RECEIVED, job=make_customers_job(status=Status.REQUESTED))
    send_due()
    attached = [
        [part.get_filename() for part in email.iter_attachments()] for _, email in server.inbox
    ]
    assert attached == [["appointment.ics"], []]


def test_token_is_neither_stored_nor_logged(server, caplog):
    server.answers["DATA"] = lambda _: "451 /track/secret-token-of-anyone is odd"
    make_message()
    send_due()
    server.answers.clear()
    make_message()
    send_due()
    stored = [str(value) for row in Message.objects.values() for value in row.values()]
    assert len(server.inbox) == 2
    assert "{link}" in " ".join(stored)
    assert "secret-token" not in " ".join(stored) + caplog.text


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "state"), [("451 Try later", State.QUEUED), ("550 No such user", State.FAILED)]
)
def test_refusals_of_the_server(server, step, answer, state):
    server.keeps = False
    server.answers[step] = answer
    message = make_message()
    send_due()
    assert (state_of(message), server.inbox) == (state, [])
    assert answer in message.error


@pytest.mark.parametrize("fault", [drop, hang])
@pytest.mark.parametrize(
    ("step", "state"),
    [("MAIL", State.QUEUED), ("RCPT", State.QUEUED), ("DATA", State.UNKNOWN)],
)
def test_server_that_does_not_answer(server, settings, fault, step, state):
    """Only after the final dot can the server have the email."""
    settings.EMAIL_TIMEOUT = 0.5
    server.answers[step] = fault
    message = make_message()
    send_due()
    assert state_of(message) == state
    assert (message.claimed_at is None) == (state == State.QUEUED)


def test_unknown_message_is_never_sent_again_by_itself(server, database_clock):
    server.answers["DATA"] = drop
    make_message()
    send_due()
    server.answers.clear()
    database_clock.shift(timedelta(days=2))
    assert not any(send_due().values())
    assert len(server.inbox) == 1


def test_server_that_is_down_is_tried_again_until_the_message_fails(server, database_clock):
    server.stop()
    message = make_message()
    for delay in DELAYS:
        assert send_due()["delayed"] == 1
        assert not any(send_due().values())  # not due yet
        database_clock.shift(delay)
    assert send_due()["failed"] == 1
    assert (state_of(message), message.attempts) == (State.FAILED, len(DELAYS) + 1)
    assert "ConnectionRefusedError" in message.error


def test_email_goes_out_after_an_outage(server, database_clock):
    server.answers["RCPT"] = "451 Greylisted"
    message = make_message()
    send_due()
    server.answers.clear()
    database_clock.shift(DELAYS[0])
    send_due()
    assert (state_of(message), message.error, len(server.inbox)) == (State.SENT, "", 1)


def test_server_that_hangs_up_after_accepting_changes_nothing(server):
    server.answers["DATA"] = lambda smtp: smtp.transport.write(b"250 Accepted\r\n") or drop(smtp)
    message = make_message()
    send_due()
    assert (state_of(message), len(server.inbox)) == (State.SENT, 1)


def test_message_id_stays_the_same(server, database_clock):
    server.answers["DATA"] = "451 Try later"
    make_message()
    send_due()
    database_clock.shift(DELAYS[0])
    send_due()
    first, second = (str(email["Message-ID"]) for _, email in server.inbox)
    assert first == second


def test_claimed_message_is_left_to_its_worker_until_the_claim_lapses(server, database_clock):
    message = make_message()
    assert claim_message(message.pk)
    assert claim_message(message.pk) is None
    assert send_due()["sent"] == 0
    database_clock.shift(LEASE + timedelta(seconds=1))
    assert send_due()["sent"] == 1


def test_worker_that_lost_its_claim_sends_nothing(server, monkeypatch, database_clock):
    """It was stopped for longer than the lease, and another worker took over."""
    message = make_message()
    compose = sending.compose

    def slowly(found):
        compose(found)
        database_clock.shift(LEASE + timedelta(seconds=1))
        monkeypatch.setattr(sending, "compose", compose)
        assert sending.send_one(message.pk) is sending.Outcome.SENT

    monkeypatch.setattr(sending, "compose", slowly)
    assert sending.send_one(message.pk) is sending.Outcome.LOST
    assert len(server.inbox) == 1


def test_claim_that_is_lost_during_the_data_ends_before_the_dot(server, monkeypatch):
    message = make_message()
    deliver = sending.deliver

    def after_another(found, **kwargs):
        Message.objects.filter(pk=found.pk).update(claimed_at=None)
        deliver(found, **kwargs)

    monkeypatch.setattr(sending, "deliver", after_another)
    assert sending.send_one(message.pk) is sending.Outcome.LOST
    assert server.inbox == []
    assert state_of(message) == State.QUEUED


def test_worker_that_ended_while_sending_leaves_it_unknown(server, database_clock):
    message = make_message(state=State.SENDING, claimed_at=database_now())
    assert not any(send_due().values())
    database_clock.shift(LEASE + timedelta(seconds=1))
    assert send_due()["unknown"] == 1
    assert (state_of(message), server.inbox) == (State.UNKNOWN, [])


def test_text_is_kept_from_the_first_attempt(server, database_clock):
    server.answers["RCPT"] = "451 Try later"
    message = make_message()
    send_due()
    message.refresh_from_db()
    first = message.body
    message.job.contact_name = "Anna"
    message.job.save()
    server.answers.clear()
    database_clock.shift(DELAYS[0])
    send_due()
    assert state_of(message) == State.SENT
    assert message.body == first


def test_every_other_back_end_of_django_sends_too(settings):
    make_message()  # to the one of pytest-django
    assert send_due()["sent"] == 1
    assert mail.outbox[0].to == ["mark@example.com"]


def test_without_email_set_up_the_ledger_says_so(settings):
    settings.EMAIL_URL = ""
    message = make_message()
    send_due()
    assert (state_of(message), mail.outbox) == (State.SUPPRESSED, [])
    assert "EMAIL_URL" in message.error


def test_revoked_link_is_replaced_by_the_phone(server):
    message = make_message()
    TrackingLink.objects.update(revoked_at=database_now(), revoke_reason="lost")
    send_due()
    text = server.inbox[0][1].get_content()
    assert state_of(message) == State.SENT
    assert "/track/" not in text
    assert "or call us before the crew comes:\n(907) 555-0100" in text.replace("\r\n", "\n")


def test_outdated_message_is_not_sent(server):
    job = make_customers_job(status=Status.CANCELLED)
    message = make_message(job=job, event=Event.SCHEDULED)
    send_due()
    assert (state_of(message), message.error) == (State.SUPPRESSED, "The job was cancelled.")


# Text messages


def text(**kwargs):
    return make_message(channel=Channel.SMS, **kwargs)


def test_text_message_on_the_console(noon, capsys):
    message = text()
    send_due()
    said = capsys.readouterr().out
    assert state_of(message) == State.SENT
    assert said.startswith(f"Text message to {message.recipient}: QuickDumpNow: The price is now")
    assert "/track/secret-token" in said


def test_nobody_who_answered_stop_gets_a_text(noon, capsys):
    message = text()
    OptOut.objects.create(phone=message.recipient)
    send_due()
    assert (state_of(message), message.error) == (State.SUPPRESSED, OPTED_OUT)
    assert capsys.readouterr().out == ""


def test_job_has_as_many_texts_as_the_customer_agreed_to(noon):
    job = make_customers_job()
    for number in range(MAX_TEXTS + 1):
        last = text(job=job, key=f"{number}")
    assert send_due()["sent"] == MAX_TEXTS
    assert (state_of(last), last.error) == (State.SUPPRESSED, TEXTS_USED_UP)


def test_text_waits_until_morning(noon, capsys):
    noon.shift(timedelta(hours=12, minutes=1))  # 9:01 PM
    message = text()
    send_due()
    assert (state_of(message), message.attempts) == (State.QUEUED, 0)
    noon.shift(timedelta(hours=10))
    assert not any(send_due().values())
    noon.shift(timedelta(hours=1))
    assert send_due()["sent"] == 1


def test_crew_on_the_way_is_announced_at_any_hour(noon):
    noon.shift(timedelta(hours=13))
    text(job=make_customers_job(status=Status.EN_ROUTE), event=Event.ON_THE_WAY)
    assert send_due()["sent"] == 1


def test_email_does_not_wait(server, noon):
    noon.shift(timedelta(hours=13))
    make_message()
    assert send_due()["sent"] == 1
