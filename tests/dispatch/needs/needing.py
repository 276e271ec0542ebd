"""A job for each rule about jobs, which needs the office from NOW on, not a minute earlier."""

from datetime import UTC, datetime, timedelta

import time_machine

from dispatch.changing import change_details, change_job, set_price
from dispatch.models import Job, JobEvent, Photo
from dispatch.needs.reading import read_needs
from dispatch.prices import parse_price
from dispatch.statuses import Status
from dispatch.visits import Failure, fail_visit
from tests.builders import make_crew, make_job, make_planned_job

NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)  # a Friday, 1 p.m. in Denver
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def window(start, hours=2):
    return {"window_start": start, "window_end": start + hours * HOUR}


def at(moment):
    return time_machine.travel(moment, tick=False)


def found_by_rule(now, most=50):
    """Return what each rule finds, for a viewer who may see everything."""
    waiting = read_needs(now, bool, most=most)
    return waiting.by_rule(Job.objects.with_placed_at().in_bulk(waiting.jobs), now)


def needs_you(now):
    return [need for found in found_by_rule(now) for need in found.needs]


def event(job, moment, **changes):
    """Write an event of that time."""
    with at(moment):
        change_job(job=job, kind=JobEvent.Kind.STATUS, changes={}, noted=changes, actor="test")


def late():
    return make_planned_job(status=Status.SCHEDULED, **window(NOW - 2 * HOUR))


def ready_and_over():
    return make_planned_job(status=Status.READY_FOR_PICKUP, **window(NOW - 2 * HOUR))


def failed_visit():
    job = make_planned_job(status=Status.EN_ROUTE, **window(NOW - HOUR))
    with at(NOW):
        fail_visit(job=job, why=Failure.NO_ACCESS, actor="crew", note="The gate is locked")
    return job


def no_crew():
    return make_planned_job(status=Status.SCHEDULED, crew=None, **window(NOW + 18 * HOUR))


def unanswered():
    with at(NOW - 2 * HOUR):
        return make_job()


def no_price():
    return make_job(status=Status.SCHEDULED, crew=make_crew(), **window(NOW + DAY))


def price_question():
    job = make_planned_job(status=Status.SCHEDULED, **window(NOW + 3 * DAY))
    with at(NOW):
        set_price(job=job, price=parse_price("700 all-in"), actor="dana", reason="Heavier")
    return job


def pickup_asked():
    job = make_job(status=Status.ON_SITE, service="dumpster-20")
    event(job, NOW, pickup=["", "as soon as possible"])
    return job


def overdue():
    """Due back on NOW's day: placed on the day before, for one day."""
    job = make_job(status=Status.SCHEDULED, service="dumpster-20", rental_days=1)
    Job.objects.filter(pk=job.pk).update(status=Status.ON_SITE)
    job.refresh_from_db()
    event(job, NOW - DAY, status=["scheduled", "on_site"])
    return job


def long_hold():
    job = make_job(status=Status.SCHEDULED)
    with at(NOW - 2 * DAY):
        changes = {"on_hold": True, "hold_reason": "Waiting for a permit"}
        change_details(job=job, changes=changes, actor="dana")
    return job


def no_photo_after():
    """Completed at NOW, on the crew's page."""
    job = make_planned_job(status=Status.IN_PROGRESS, **window(NOW - HOUR))
    make_photo(job, Photo.Stage.BEFORE)
    Job.objects.filter(pk=job.pk).update(status=Status.COMPLETED)
    job.refresh_from_db()
    event(job, NOW, status=["in_progress", "completed"])
    return job


def make_photo(job, stage):
    names = {"large": f"photos/{job.pk}{stage}", "small": f"photos/{job.pk}{stage}s"}
    return Photo.objects.create(job=job, stage=stage, width=1, height=1, actor="crew", **names)


# By the code of the rule.
JOBS = {
    "late": late,
    "ready-and-over": ready_and_over,
    "failed-visit": failed_visit,
    "no-crew": no_crew,
    "unanswered": unanswered,
    "no-price": no_price,
    "price-question": price_question,
    "pickup-asked": pickup_asked,
    "overdue": overdue,
    "long-hold": long_hold,
    "no-photo-after": no_photo_after,
}
# Those that begin with what happens, not with the passing of time.
BY_AN_EVENT = {"failed-visit", "price-question", "pickup-asked", "no-photo-after"}
