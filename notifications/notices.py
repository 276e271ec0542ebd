"""Messages that no change causes: reminders on the day before, and crews that are late.

Both are found by rule every minute, and the ledger's unique keys make each of them one message.
"""

from datetime import datetime, time, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from dispatch.days import local_day
from dispatch.models import Job, JobQuerySet
from dispatch.statuses import NOT_STARTED
from dispatch.visits import failed
from notifications.events import window_key
from notifications.kinds import Event
from notifications.models import Message
from notifications.recording import record

REMIND_AT = time(17)  # of the firm's time zone
# A window that passed longer ago, as after an outage, is a matter for the phone.
LATE_AT_MOST = timedelta(hours=12)
SYSTEM = "system"


def remind(now: datetime) -> int:
    """Write reminders of tomorrow's windows from REMIND_AT on; return how many jobs.

    A customer who has heard of the window since then needs none.
    """
    begins = datetime.combine(
        timezone.localtime(now).date(), REMIND_AT, timezone.get_current_timezone()
    )
    if now < begins:
        return 0
    start, end = local_day(now, days=1)
    tomorrow = Job.objects.open().filter(window_start__gte=start, window_start__lt=end)
    news = Message.objects.filter(
        job=OuterRef("pk"),
        event__in=[Event.SCHEDULED, Event.RESCHEDULED, Event.REMINDER],
        created_at__gte=begins,
    )
    return _record(tomorrow.filter(~Exists(news)), Event.REMINDER)


def say_who_is_late(now: datetime) -> int:
    """Write to customers whose window has passed without a start, once for each window.

    Those whose crew reported a delay have heard of it. After a failed visit the office calls.
    """
    late = Job.objects.late(now).filter(window_end__gt=now - LATE_AT_MOST, late_by=0)
    late = late.exclude(pk__in=failed(late).values("pk"))
    heard = Message.objects.filter(
        job=OuterRef("pk"), event=Event.RUNNING_LATE, created_at__gte=OuterRef("window_end")
    )
    return _record(late.filter(~Exists(heard)), Event.RUNNING_LATE)


def _record(jobs: JobQuerySet, event: Event) -> int:
    found = jobs.filter(status__in=NOT_STARTED, on_hold=False).select_related("customer")
    for job in found:
        record(job=job, event=event, key=window_key(job), caused_by=SYSTEM)
    return len(found)
