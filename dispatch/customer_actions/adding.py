"""Answering a price, sending photos and a note, and giving a gate code.

Photos, notes and codes fit the job however the office has changed it in the meantime, so a stale
page does not stop them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from dispatch.changing import change_job
from dispatch.customer_actions.acting import ACTOR, Sent, act
from dispatch.customer_actions.rules import Action
from dispatch.details import one_newline
from dispatch.errors import ValueRefused
from dispatch.models import Job, JobEvent, Photo
from dispatch.once import event_of
from dispatch.photos.intake import MOST_PHOTOS, ReadyPhoto
from dispatch.photos.storing import stored_files
from dispatch.price_questions import Answer

MAX_NOTE = 500
MAX_CODE = 200


def answer_price(*, job: Job, answer: Answer, sent: Sent) -> JobEvent:
    """Answer the open question about the price. Raises what `act` raises."""

    def write(job: Job, now: datetime) -> None:
        _record(job, sent.key, {}, price_answer=["", answer.value])

    return act(job=job, action=Action.PRICE, sent=sent, write=write)


def add_photos_and_note(
    *, job: Job, photos: Sequence[ReadyPhoto], note: str, key: UUID
) -> JobEvent:
    """Add photos to a job, and a note to what its crew reads.

    Raises ValueRefused (field "photos" or "note"), PhotosNotStored, or what `act` raises.
    """
    note = one_newline(note).strip()
    if first := event_of(job, key):
        return first
    if not photos and not note:
        raise ValueRefused(_("Choose photos or write a note."), field="note")
    with stored_files(job=job, photos=photos, actor=ACTOR) as files:

        def write(job: Job, now: datetime) -> None:
            noted = _photo_counts(job, len(photos)) if photos else {}
            changes = {"details": _with_note(job.details, note, now)} if note else {}
            _record(job, key, changes, **noted)
            Photo.objects.bulk_create(files.rows)
            files.keep = True

        return act(job=job, action=Action.PHOTOS, sent=Sent(key=key), write=write)


def give_code(*, job: Job, text: str, replace: bool, key: UUID) -> JobEvent:
    """Add a gate code to the access notes, the newest on top, or put it in their place.

    The history never has it. Raises ValueRefused (field "code"), or what `act` raises.
    """
    text = one_newline(text).strip()

    def write(job: Job, now: datetime) -> None:
        before = "" if replace else job.access_notes
        notes = f"{_day(now)}: {text}\n{before}".strip()
        most = Job._meta.get_field("access_notes").max_length or 0
        if len(notes) > most:
            raise ValueRefused(
                _("There is no room for this beside what we already have."),
                _("Shorten it, or let it replace the rest."),
                field="code",
            )
        _record(job, key, {"access_notes": notes})

    return act(job=job, action=Action.GATE, sent=Sent(key=key), write=write)


def _record(job: Job, key: UUID, changes: dict[str, Any], **noted: list[str]) -> None:
    change_job(
        job=job, kind=JobEvent.Kind.ANSWER, changes=changes, noted=noted, actor=ACTOR, key=key
    )


def _photo_counts(job: Job, more: int) -> dict[str, list[str]]:
    photos = Photo.objects.filter(job=job)
    booked, before = photos.filter(stage="").count(), photos.count()
    if booked + more > MOST_PHOTOS:
        raise ValueRefused(
            _("A job can have %(most)s photos, and this one has %(has)s already.")
            % {"most": MOST_PHOTOS, "has": booked},
            _("Send fewer."),
            field="photos",
        )
    return {"photos": [str(before), str(before + more)]}


def _with_note(details: str, note: str, now: datetime) -> str:
    text = f"{details}\n\nCustomer, {_day(now)}: {note}".strip()
    most = Job._meta.get_field("details").max_length or 0
    if len(text) > most:
        raise ValueRefused(
            _("The notes about this job are full."), _("Call us with the rest."), field="note"
        )
    return text


def _day(now: datetime) -> str:
    """Return a day for the crew, like "Nov 22"."""
    day = timezone.localtime(now)
    return f"{day:%b} {day.day}"
