"""A business in the middle of its day: jobs with everything, releases, logins; and its rows."""

import json
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from uuid import uuid4

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from dispatch.booking import BookingRequest, book
from dispatch.changing import change_details, move_job
from dispatch.models import Job
from dispatch.photos.intake import ReadyPhoto
from dispatch.photos.storing import add_photos
from dispatch.statuses import Status
from tests.builders import make_crew, make_price
from tracking.links import ensure_link, revoke_link, rotate
from tracking.publishing import publish

PHOTO = "jobs/1/photo.jpg"


def book_one(name="Zoë “Zee” O'Hara", **values):
    request = BookingRequest(
        name=name, phone="907-555-0142", address_line="1423 Soderblom Avenue", town="Fairbanks",
        zip_code="99709", details="A sofa\n\tand \\a fridge\u2028", **values,
    )  # fmt: skip
    return book(request=request, form_key=uuid4()).job


def open_business(operator):
    """Fill most tables: bookings, consents, links of every state, releases, users, media."""
    user = User.objects.create_user("dana", password="secret", is_staff=True)
    user.groups.add(Group.objects.get(name="Dispatchers"))
    crew = make_crew(name="Birch")
    first = book_one(consent_version="2026-11", remote_address="2001:db8::1")
    start = timezone.now() + timedelta(hours=1)
    plan = {"crew": crew, "window_start": start, "window_end": start + timedelta(hours=2)}
    change_details(job=first, changes=plan, actor="dana")
    move_job(job=first, to=Status.SCHEDULED, actor="dana")
    make_price(first)
    add_photos(job=first, photos=[ReadyPhoto(b"large", b"small", 4, 3)], actor="customer")
    for job in (first, book_one("Ümit"), book_one("Mark")):
        link = ensure_link(job=job, actor="dana")
    rotate(link=link, actor="dana", reason="leaked")
    revoke_link(link=ensure_link(job=book_one("Ann"), actor="dana"), actor="dana", reason="asked")
    operator.push("A")
    operator.promote()
    operator.push("B")
    publish(objects=operator.backend.objects)
    default_storage.save(PHOTO, ContentFile(b"\xff\xd8 a photo"))


def rows():
    """Return all rows of all tables, without a fixed order."""
    models = [*apps.get_models(include_auto_created=True), MigrationRecorder.Migration]
    return {
        model._meta.db_table: sorted(_rows_of(model), key=repr)
        for model in models
        if model._meta.managed and not model._meta.proxy
    }


def _rows_of(model):
    columns = [field.attname for field in model._meta.local_concrete_fields]
    return [
        dict(zip(columns, row, strict=True)) for row in model._base_manager.values_list(*columns)
    ]


def files(folder):
    """Return the bytes of all files below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def last_job():
    return Job.objects.order_by("number").last().number


def drift():
    """Return the codes of what `verify` finds in the tracking documents."""
    out = StringIO()
    with suppress(CommandError):
        call_command("verify", json=True, stdout=out)
    found = json.loads(out.getvalue())
    return {one["code"] for row in found if row["environment"] is None for one in row["drift"]}
