"""The ledger: one message per event, written with the change."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django_q.models import OrmQ

from dispatch.booking import book
from dispatch.changing import change_details, move_job
from dispatch.consent import CURRENT
from dispatch.models import Job, JobEvent
from dispatch.signals import job_changed
from dispatch.statuses import Status
from notifications.kinds import Channel, Event, State
from notifications.models import Message
from notifications.recording import NO_ADDRESS, REPLACED, record
from tests.notifications.builders import WINDOW, make_customers_job
from tests.notifications.test_events import LATER, request


def ledger():
    return list(Message.objects.order_by("pk").values_list("event", "channel", "state"))


def test_booking_with_consent_is_one_email_and_one_text(db):
    job = book(request=request(consent_version=CURRENT), form_key=uuid4()).job
    assert ledger() == [("received", "email", "queued"), ("received", "sms", "queued")]
    assert Message.objects.get(channel="sms").recipient == job.customer.phone.as_e164


def test_no_text_without_consent(db):
    book(request=request(), form_key=uuid4())
    assert ledger() == [("received", "email", "queued")]


def test_no_text_without_a_back_end(db, settings):
    settings.SMS_BACKEND = ""
    book(request=request(consent_version=CURRENT), form_key=uuid4())
    assert ledger() == [("received", "email", "queued")]


def test_customer_who_cannot_be_reached_is_in_the_ledger(db):
    book(request=request(email=""), form_key=uuid4())
    message = Message.objects.get()
    assert (message.state, message.error) == (State.SUPPRESSED, NO_ADDRESS)


def test_body_and_link_are_not_stored_before_sending(db):
    book(request=request(), form_key=uuid4())
    assert Message.objects.get().body == ""


def test_change_that_arrives_twice_is_one_message(db):
    job = make_customers_job(status=Status.REQUESTED)
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    event = JobEvent.objects.get(revision=job.revision)
    for _ in range(2):
        job_changed.send(sender=Job, job_id=job.pk, event=event)
    assert ledger() == [("scheduled", "email", "queued")]


def test_form_sent_24_times_at_once_is_one_job_and_one_message(together):
    key = uuid4()
    results = together(lambda: book(request=request(), form_key=key), times=24)
    assert sum(booked.created for booked in results) == 1
    assert (Job.objects.count(), Message.objects.count()) == (1, 1)
    assert OrmQ.objects.filter(key="messages").count() == 1


def test_messages_go_with_a_change_that_is_rolled_back(db):
    with transaction.atomic():
        book(request=request(), form_key=uuid4())
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_job_booked_and_confirmed_at_once_is_one_message(db):
    job = book(request=request(), form_key=uuid4()).job
    change_details(job=job, changes=WINDOW, actor="customer")
    move_job(job=job, to=Status.SCHEDULED, actor="customer")
    assert ledger() == [("received", "email", "suppressed"), ("scheduled", "email", "queued")]
    assert Message.objects.get(event="received").error == REPLACED


def test_window_that_moves_before_the_first_message_is_the_first(db):
    job = make_customers_job(status=Status.REQUESTED)
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    change_details(job=job, changes=LATER, actor="pat")
    assert ledger() == [("scheduled", "email", "suppressed"), ("scheduled", "email", "queued")]


def test_window_that_moves_after_the_first_message_is_a_change(db):
    job = make_customers_job(status=Status.REQUESTED)
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    Message.objects.update(state=State.SENT)
    change_details(job=job, changes=LATER, actor="pat")
    assert ledger() == [("scheduled", "email", "sent"), ("rescheduled", "email", "queued")]


def test_message_that_a_worker_has_is_not_replaced(db):
    job = make_customers_job(status=Status.REQUESTED)
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    Message.objects.update(claimed_at=WINDOW["window_start"])
    change_details(job=job, changes=LATER, actor="pat")
    assert [state for _, _, state in ledger()] == ["queued", "queued"]


def test_cancelling_replaces_everything_that_waits(db):
    job = make_customers_job()
    record(job=job, event=Event.REMINDER, key="window", caused_by="system")
    change_details(job=job, changes=LATER, actor="pat")
    move_job(job=job, to=Status.CANCELLED, actor="pat", side="customer", reason="Moved away")
    assert [event for event, _, state in ledger() if state == State.QUEUED] == ["cancelled"]


def test_task_is_requested_once_after_the_commit(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for hours in (1, 2):
            job = make_customers_job(link=False)
            later = WINDOW["window_end"] + timedelta(hours=hours)
            change_details(job=job, changes={"window_end": later}, actor="pat")
        assert not OrmQ.objects.filter(key="messages").exists()
    queued = OrmQ.objects.get(key="messages")
    assert (queued.task["func"], queued.task["args"]) == ("notifications.tasks.send", ())


@pytest.mark.django_db
def test_change_costs_one_insert(django_assert_num_queries):
    job = make_customers_job()
    job.customer  # noqa: B018 - as a caller has it
    with django_assert_num_queries(2):  # the look for consent, and the insert
        record(job=job, event=Event.RECEIVED, key="", caused_by="customer")
    assert Message.objects.get().channel == Channel.EMAIL
