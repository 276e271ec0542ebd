"""Messages that did not arrive, among what needs the office."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dispatch.models import Job
from dispatch.needs.listing import jobs_of
from dispatch.statuses import Status
from notifications.kinds import State
from notifications.models import Message
from tests.builders import make_job
from tests.dispatch.needs.needing import needs_you
from tests.notifications.builders import make_message

pytestmark = pytest.mark.django_db
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def found(now=None):
    return set(jobs_of("message-failed", now or timezone.now()))


@pytest.mark.parametrize("state", State)
def test_failed_and_unknown_messages_count(state):
    message = make_message(state=state)
    troubled = state in {State.FAILED, State.UNKNOWN}
    assert found() == ({message.job} if troubled else set())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"state": State.FAILED, "error": "The mailbox is full."},
            "“Price changed” was not sent (email): The mailbox is full.",
        ),
        ({"state": State.FAILED}, "“Price changed” was not sent (email)."),
        ({"state": State.UNKNOWN}, "“Price changed” may not have arrived (email)."),
    ],
)
def test_sentence(values, sentence):
    message = make_message(**values)
    [need] = [need for need in needs_you(timezone.now()) if need.rule == "message-failed"]
    assert need.sentence == sentence
    assert need.action.url == f"/admin/notifications/message/?q={message.job.number}"
    assert need.since == message.created_at


def test_message_that_was_sent_again_is_settled():
    message = make_message(state=State.FAILED)
    again = make_message(job=message.job, state=State.QUEUED, key="again", again_of=message)
    assert found() == set()
    Message.objects.filter(pk=again.pk).update(state=State.FAILED)
    assert found() == {message.job}


def test_job_that_has_ended_counts_for_three_days_after_its_window():
    start = timezone.now()
    window = {"window_start": start, "window_end": start + MINUTE}
    job = make_job(status=Status.CANCELLED, **window)
    make_message(job=job, state=State.FAILED)
    assert found(start + 3 * DAY - MINUTE) == {job}
    assert found(start + 3 * DAY) == set()
    Job.objects.filter(pk=job.pk).update(status=Status.SCHEDULED)
    assert found(start + 3 * DAY) == {job}
