"""Access notes end a day after the job, and leave nothing behind."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.apps import apps
from django.urls import reverse
from django_q.models import Schedule

from dispatch.booking import BookingRequest, book
from dispatch.changing import change_details, move_job
from dispatch.ending import ended_before, wipe_access_notes
from dispatch.models import Job
from dispatch.statuses import Status
from dispatch.tasks import forget
from tests.builders import make_job, make_price
from tests.dispatch.job_page import posted
from tracking.documents import public_document

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CODE = "Gate 4411"


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def notes_of(job):
    return Job.objects.get(pk=job.pk).access_notes


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
def test_notes_are_wiped_a_day_after_the_end(clock, status):
    job = make_job(status=Status.IN_PROGRESS if status == Status.COMPLETED else Status.SCHEDULED,
                   access_notes=CODE)  # fmt: skip
    make_price(job)
    clock.shift(3 * DAY)
    move_job(job=job, to=status, actor="dana", reason="sold", side="customer")
    assert wipe_access_notes(NOW + 4 * DAY) == 0
    assert notes_of(job) == CODE
    assert wipe_access_notes(NOW + 4 * DAY + MINUTE) == 1
    assert notes_of(job) == ""
    assert wipe_access_notes(NOW + 4 * DAY + MINUTE) == 0


@pytest.mark.parametrize(
    "status", [status for status in Status if status not in (Status.COMPLETED, Status.CANCELLED)]
)
def test_notes_of_open_jobs_stay(clock, status):
    job = make_job(status=status, access_notes=CODE)
    assert wipe_access_notes(NOW + 400 * DAY) == 0
    assert notes_of(job) == CODE


def test_edit_after_the_end_does_not_postpone_it(clock):
    job = make_job(status=Status.COMPLETED, access_notes=CODE)
    clock.shift(DAY)
    change_details(job=job, changes={"details": "two couches"}, actor="dana")
    assert list(ended_before(NOW + MINUTE)) == [job]
    assert wipe_access_notes(NOW + DAY + MINUTE) == 1


def test_nothing_of_the_notes_is_left_in_any_table(clock, desk):
    request = BookingRequest(
        name="Mark", phone="907-555-0142", address_line="1 A St", town="Fairbanks",
        zip_code="99709", access_notes=CODE,
    )  # fmt: skip
    job = book(request=request, form_key=uuid4()).job
    page = reverse("admin:dispatch_job_change", args=[job.pk])
    edited = posted(job, access_notes=f"{CODE}, dog", seen_revision=job.revision)
    assert desk.post(page, edited).status_code == 302
    job.refresh_from_db()
    assert job.access_notes == f"{CODE}, dog"
    move_job(job=job, to=Status.CANCELLED, actor="dana", reason="sold", side="customer")
    clock.shift(DAY + MINUTE)
    forget()
    job.refresh_from_db()
    tables = {
        model.__name__: str(list(model._base_manager.values())) for model in apps.get_models()
    }
    assert [name for name, rows in tables.items() if "4411" in rows] == []
    assert "4411" not in str(public_document(job))


def test_wiping_refuses_no_open_page(clock, desk):
    job = make_job(status=Status.COMPLETED, access_notes=CODE)
    on_screen = posted(job, details="two couches")
    clock.shift(DAY + MINUTE)
    before = Job.objects.values("revision", "updated_at").get(pk=job.pk)
    wipe_access_notes(NOW + DAY + MINUTE)
    assert Job.objects.values("revision", "updated_at").get(pk=job.pk) == before
    assert job.events.count() == 1
    page = reverse("admin:dispatch_job_change", args=[job.pk])
    assert desk.post(page, on_screen).status_code == 302
    assert Job.objects.get(pk=job.pk).details == "two couches"
    forget()  # the page brought the notes back
    assert notes_of(job) == ""


def test_wiping_is_scheduled():
    assert Schedule.objects.get(func="dispatch.tasks.forget").schedule_type == Schedule.HOURLY
