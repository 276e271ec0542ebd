"""The sets of jobs that need the office, each annotated with since when.

All start from open jobs, which have an index, but for completed jobs without a photo: those start
from the windows of the past week. So none grows with the archive.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from dispatch.models import Job, JobEvent, JobQuerySet, Photo
from dispatch.needs.rules import SINCE, events_of_job
from dispatch.price_questions import PRICE_ANSWER, pickup_asked, price_not_agreed
from dispatch.statuses import Status
from dispatch.visits import failed

ANSWER_WITHIN = timedelta(hours=2)
CREW_BEFORE = timedelta(hours=18)
PRICE_BEFORE = timedelta(days=1)
HOLD_FOR = timedelta(days=2)
PHOTO_FOR = timedelta(days=3)
# A job's window is at most this long before or after its completion, for the set without photos.
WINDOW_WITHIN = timedelta(days=7)


def unanswered(now: datetime) -> JobQuerySet:
    """Requests that are not on hold and older than two hours."""
    requests = _open().filter(status=Status.REQUESTED, on_hold=False)
    return _since(requests.filter(created_at__lte=now - ANSWER_WITHIN), F("created_at"))


def no_crew(now: datetime) -> JobQuerySet:
    """Jobs without a crew whose window starts within 18 hours or runs now."""
    jobs = Job.objects.unassigned().filter(window_start__lte=now + CREW_BEFORE)
    return _since(jobs.filter(window_end__gt=now), F("window_start") - CREW_BEFORE)


def ready_and_over(now: datetime) -> JobQuerySet:
    """Jobs that are ready for pickup and whose window is over."""
    return _since(_open().late(now).filter(status=Status.READY_FOR_PICKUP), F("window_end"))


def late(now: datetime) -> JobQuerySet:
    """Late jobs besides those that are ready for pickup, which have a rule of their own."""
    return _since(_open().late(now).exclude(status=Status.READY_FOR_PICKUP), F("window_end"))


def no_price(now: datetime) -> JobQuerySet:
    """Jobs without a price whose window starts within a day, or has started."""
    jobs = Job.objects.without_price().filter(window_start__lte=now + PRICE_BEFORE)
    return _since(jobs, F("window_start") - PRICE_BEFORE)


def long_hold(now: datetime) -> JobQuerySet:
    """Jobs on hold for two days."""
    put_on_hold = events_of_job().filter(changes__has_key="on_hold").values("at")[:1]
    since = Coalesce(Subquery(put_on_hold), F("created_at"))
    held = _since(_open().filter(on_hold=True), since)
    return held.filter(**{f"{SINCE}__lte": now - HOLD_FOR})


def failed_visit(now: datetime) -> JobQuerySet:
    """Jobs that a crew could not do and that have neither a new window nor moved since."""
    visit = events_of_job().filter(kind=JobEvent.Kind.VISIT)
    jobs = _open().filter(status__in=[Status.SCHEDULED, Status.READY_FOR_PICKUP])
    with_visit = failed(jobs).annotate(
        visit=Subquery(visit.values("changes")[:1]), visit_note=Subquery(visit.values("reason")[:1])
    )
    return _since(with_visit, Subquery(visit.values("at")[:1]))


def price_question(now: datetime) -> JobQuerySet:
    """Jobs whose changed price the customer has not accepted."""
    changed = JobEvent.objects.filter(pk=OuterRef("price_changed"))
    answers = events_of_job().filter(
        changes__has_key=PRICE_ANSWER, pk__gt=OuterRef("price_changed")
    )
    jobs = price_not_agreed(Job.objects.all()).annotate(
        question=Subquery(changed.values("changes")[:1]),
        answer=Subquery(answers.values("changes")[:1]),
    )
    return _since(jobs, Subquery(changed.values("at")[:1]))


def pickup_wanted(now: datetime) -> JobQuerySet:
    """Dumpsters on site whose customer asked for a pickup."""
    asked = events_of_job().filter(changes__has_key="pickup")
    jobs = pickup_asked(_open()).annotate(wish=Subquery(asked.values("changes")[:1]))
    return _since(jobs, Subquery(asked.values("at")[:1]))


def overdue(now: datetime) -> JobQuerySet:
    """Dumpsters that are due back and have no window for it. Takes a query of its own."""
    out = Job.objects.due_back(now).filter(window_start__isnull=True).with_placed_at()
    return _since(out, F("placed_at"))


def no_photo_after(now: datetime) -> JobQuerySet:
    """Jobs completed in the last three days on the crew's page, without a photo of the result.

    A job was done on the crew's page if an event of it has the time of a tap, or if it has a photo
    from before the work: firms whose crews use no page are not reminded.
    """
    window = (now - PHOTO_FOR - WINDOW_WITHIN, now + WINDOW_WITHIN)
    completed = events_of_job().filter(status=Status.COMPLETED, changes__has_key="status")
    # Not by the status, whose index has all that were ever completed.
    ended = Job.objects.filter(window_start__range=window, is_open=False)
    jobs = ended.exclude(status=Status.CANCELLED)
    jobs = _since(jobs, Subquery(completed.values("at")[:1]))
    jobs = jobs.filter(**{f"{SINCE}__gt": now - PHOTO_FOR})
    tapped = Exists(events_of_job().filter(tapped_at__isnull=False))
    return jobs.filter(tapped | Exists(_photos("before"))).exclude(Exists(_photos("after")))


def _open() -> JobQuerySet:
    jobs: JobQuerySet = Job.objects.open()
    return jobs


def _photos(stage: str) -> QuerySet[Photo]:
    return Photo.objects.filter(job=OuterRef("pk"), stage=stage)


def _since(jobs: JobQuerySet, expression: object) -> JobQuerySet:
    annotated: JobQuerySet = jobs.annotate(**{SINCE: expression})
    return annotated
