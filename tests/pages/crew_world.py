"""What happens on the site of tests/pages/test_crew.py, beside its browser. Each prints JSON."""

import io
import json
from datetime import datetime, time, timedelta

from django.utils import timezone

from crews.links import ensure_link, revoke_link
from dispatch.booking import create_job
from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Crew, Job
from dispatch.photos.intake import ready_photo
from dispatch.photos.storing import add_photos
from dispatch.prices import parse_price
from dispatch.stepping import advance
from dispatch.visits import Failure, fail_visit, report_delay
from tests.photo_files import jpeg


def prepare(name, count):
    """Make a crew with confirmed jobs of today, at any hour of it, and a link."""
    day = timezone.localdate()
    noon = timezone.make_aware(datetime.combine(day, time(12)))
    crew = Crew.objects.create(name=name)
    jobs = [_job(crew, number, noon + timedelta(minutes=number)) for number in range(count)]
    link = ensure_link(crew=crew, day=day, actor="dana")
    found = {"token": link.token, "jobs": jobs, "crew": crew.pk, "day": str(day)}
    print(json.dumps(found))  # noqa: T201


def _job(crew, number, start):
    job = create_job(
        name=f"Ann Berg {number}",
        phone=f"+1907555{number + 150:04}",
        address="12 Chena Ridge Road, Fairbanks, 99709",
        service="junk",
        price="600 all-in",
        actor="dana",
    )
    plan = {"window_start": start, "window_end": start + timedelta(hours=2), "crew": crew}
    told = {"access_notes": "Gate 7781", "details": "A couch and six boxes", "load_size": "half"}
    change_details(job=job, changes=plan | told, actor="dana")
    # Confirmed in time: now its window may be over.
    Job.objects.filter(pk=job.pk).update(status="scheduled")
    return job.pk


def spread(*pks):
    """Bring six jobs into different states."""
    done, under_way, late, held, cancelled, failed = (Job.objects.get(pk=pk) for pk in pks)
    by = {"actor": "crew: North crew"}
    advance(job=done, to="completed", **by)
    advance(job=under_way, to="in_progress", **by)
    set_price(job=under_way, price=parse_price("725"), reason="A piano too", **by)
    photo = ready_photo(io.BytesIO(jpeg()), name="a.jpg")
    add_photos(job=under_way, photos=[photo], **by)
    report_delay(job=late, minutes=30, **by)
    hold(held.pk)
    cancel(cancelled.pk)
    advance(job=failed, to="en_route", **by)
    fail_visit(job=failed, why=Failure.NO_ACCESS, **by)


def cancel(pk):
    job = Job.objects.get(pk=pk)
    move_job(job=job, to="cancelled", actor="dana", side="customer", reason="Moved away")


def hold(pk):
    held = {"on_hold": True, "hold_reason": "Waits for a permit"}
    change_details(job=Job.objects.get(pk=pk), changes=held, actor="dana")


def revoke(crew, day):
    revoke_link(crew=Crew.objects.get(pk=crew), day=day, actor="dana")


def told(*pks):
    """Print what is stored of jobs: status, photos, and what their crew did."""
    print(json.dumps([_told(Job.objects.get(pk=pk)) for pk in pks]))  # noqa: T201


def _told(job):
    photos, events = job.photos.all(), job.events.filter(actor__startswith="crew: ")
    return {
        "status": job.status,
        "photos": [photo.stage for photo in photos],
        "sizes": [[photo.width, photo.height] for photo in photos],
        "events": [
            [one.status, sorted(one.changes), str(one.tapped_at), str(one.key)]
            for one in events.order_by("pk")
        ],
    }
