"""The rule of "needs you" about messages that did not arrive; one of NEEDS_RULES."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.urls import reverse

from dispatch.models import Job, JobQuerySet
from dispatch.needs.rules import SINCE, JobRule
from notifications.kinds import Channel, Event, State
from notifications.models import Message

# Jobs that have ended count for this long after their window: a cancellation may not have arrived.
AFTER_WINDOW = timedelta(days=3)


def _jobs(now: datetime) -> JobQuerySet:
    """Jobs with a message that failed, or may have, and was not sent again."""
    again = Message.objects.filter(again_of=OuterRef("pk"))
    troubled = Message.objects.filter(job=OuterRef("pk"), state__in=[State.FAILED, State.UNKNOWN])
    troubled = troubled.exclude(Exists(again)).order_by("pk")
    # A union of keys, each by an index: an OR of the two would read all jobs.
    past = Job.objects.filter(window_start__gt=now - AFTER_WINDOW).order_by().values("pk")
    recent = Job.objects.open().order_by().values("pk").union(past)
    jobs: JobQuerySet = Job.objects.filter(Exists(troubled), pk__in=recent).annotate(
        message_event=_first(troubled, "event"),
        message_channel=_first(troubled, "channel"),
        message_state=_first(troubled, "state"),
        message_error=_first(troubled, "error"),
        **{SINCE: _first(troubled, "created_at")},
    )
    return jobs


def _first(messages: QuerySet[Message], field: str) -> Subquery:
    return Subquery(messages.values(field)[:1])


def _sentence(job: Any, now: datetime) -> str:
    event, channel = Event(job.message_event).label, Channel(job.message_channel).label.lower()
    if job.message_state == State.UNKNOWN:
        return f"“{event}” may not have arrived ({channel})"
    why = f": {job.message_error}" if job.message_error else ""
    return f"“{event}” was not sent ({channel}){why}"


def _list(job: Job) -> str:
    return f"{reverse('admin:notifications_message_changelist')}?q={job.number}"


TROUBLED = JobRule(
    code="message-failed",
    name="Message not sent",
    meaning="a message failed, or may have, and was not sent again",
    act="open",
    label="Send it again",
    jobs=_jobs,
    sentence=_sentence,
    url=_list,
    permission="notifications.view_message",
)
