"""Sending again: a person's decision, once for each message."""

import pytest

from notifications.errors import NotSentAgain
from notifications.kinds import Channel, Event, State
from notifications.models import Message, OptOut
from notifications.resending import send_again
from notifications.sending import send_due
from tests.notifications.builders import make_customers_job, make_message

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN, State.SENT, State.SUPPRESSED])
def test_new_message_to_the_address_of_today(server, state):
    old = make_message(state=state, event=Event.SCHEDULED)
    old.job.contact_email = "new@example.com"
    old.job.save()
    new = send_again(message=old, actor="dana")
    send_due()
    assert [recipients for recipients, _ in server.inbox] == [["new@example.com"]]
    new.refresh_from_db()
    old.refresh_from_db()
    assert (new.state, new.caused_by, new.again_of) == (State.SENT, "dana", old)
    assert (old.state, old.recipient) == (state, "mark@example.com")


@pytest.mark.parametrize("state", [State.QUEUED, State.SENDING])
def test_not_while_it_is_under_way(state):
    refuse(make_message(state=state), "under way")


def test_once_only():
    message = make_message(state=State.FAILED)
    send_again(message=message, actor="dana")
    message.job.contact_email = "new@example.com"
    message.job.save()
    refuse(message, "already sent again")


def test_not_without_an_address():
    job = make_customers_job(contact_email="")
    refuse(make_message(job=job, state=State.FAILED), "no email address")


def test_no_text_without_consent():
    refuse(make_message(channel=Channel.SMS, state=State.FAILED), "no consent")


def test_no_text_after_stop():
    job = make_customers_job(consent=True)
    OptOut.objects.create(phone=job.customer.phone)
    refuse(make_message(job=job, channel=Channel.SMS, state=State.FAILED), "answered STOP")


def refuse(message, text):
    count = Message.objects.count()
    with pytest.raises(NotSentAgain, match=text):
        send_again(message=message, actor="dana")
    assert Message.objects.count() == count


def test_what_staff_sends_is_never_outdated(server):
    """They know the job, and the key of the window is the old message's."""
    job = make_customers_job()
    send_again(message=make_message(job=job, event=Event.REMINDER, state=State.FAILED), actor="d")
    send_due()
    assert len(server.inbox) == 1
