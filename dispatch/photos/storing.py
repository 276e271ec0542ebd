"""Storing photos: two files in the default storage, then the row that names them.

Files are written before the rows, so no row is ever without its files. If the transaction fails,
the files are deleted; those that a killed process or an outer transaction leaves, the purge finds
(dispatch/photos/purge.py).
"""

import logging
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from dispatch.changing import change_job
from dispatch.errors import DispatchError, JobChangedMeanwhile
from dispatch.models import Job, JobEvent, Photo
from dispatch.photos.intake import ReadyPhoto, check_count

FOLDER = "photos"
ATTEMPTS = 3
logger = logging.getLogger(__name__)


class PhotosNotStored(DispatchError):
    """The storage did not take the photos; nothing was written."""

    code = "photos-not-stored"


def add_photos(
    *,
    job: Job,
    photos: Sequence[ReadyPhoto],
    actor: str,
    stage: str = "",
    key: UUID | None = None,
    tapped_at: datetime | None = None,
) -> list[Photo]:
    """Add photos to a job, and an event with how many it had and has.

    Those of each stage count by themselves, so a customer's leave room for a crew's. Raises
    ValueRefused for more than a job can have, PhotosNotStored or JobChangedMeanwhile, having
    written nothing.
    """
    check_count(Photo.objects.filter(job=job, stage=stage).count() + len(photos))
    if not photos:
        return []
    before = Photo.objects.filter(job=job).count()
    files_of = stored_files(job=job, photos=photos, actor=actor, stage=stage)
    with files_of as files, transaction.atomic():
        counts = str(before), str(before + len(photos))
        _note(job, actor, *counts, key=key, tapped_at=tapped_at)
        files.keep = True
        return Photo.objects.bulk_create(files.rows)


@dataclass(slots=True)
class StoredFiles:
    """Files that are in the storage, with the rows that are to name them; see stored_files."""

    rows: list[Photo]
    keep: bool = False


@contextmanager
def stored_files(
    *, job: Job, photos: Sequence[ReadyPhoto], actor: str, stage: str = ""
) -> Iterator[StoredFiles]:
    """Write photos' files for a transaction that saves their rows and sets `keep`.

    Otherwise, and if that fails, they are deleted. Raises PhotosNotStored.
    """
    files = StoredFiles(_write_files(job, photos, actor, stage))
    try:
        yield files
    except BaseException:
        files.keep = False
        raise
    finally:
        if not files.keep:
            delete_files(names_of(files.rows))


def add_booked_photos(*, job: Job, photos: Sequence[ReadyPhoto], actor: str = "customer") -> bool:
    """Add the photos that came with a booking, once: not if the job has some already.

    Call it after the booking was committed. Of the same form sent twice at once, one adds them. A
    storage that fails is noted in the job's history, and the booking is kept. Returns whether the
    photos that were sent are stored.
    """
    for _ in range(ATTEMPTS if photos else 0):
        if Photo.objects.filter(job=job).exists():
            return True
        try:
            add_photos(job=job, photos=photos, actor=actor)
        except JobChangedMeanwhile:  # by the same form, or by the office
            job = Job.objects.get(pk=job.pk)
        except PhotosNotStored:
            _note(job, actor, "0", f"{len(photos)} sent, but not stored")
            return False
    return not photos or Photo.objects.filter(job=job).exists()


@transaction.atomic
def remove_photos(*, job: Job, photos: Sequence[Photo], actor: str) -> None:
    """Remove photos of a job, with an event. Raises JobChangedMeanwhile."""
    rows = Photo.objects.filter(job=job)
    before = rows.count()
    deleted, _ = rows.filter(pk__in=[photo.pk for photo in photos]).delete()
    if deleted:
        _note(job, actor, str(before), str(before - deleted))
        transaction.on_commit(lambda: delete_files(names_of(photos)))


def names_of(photos: Iterable[Photo]) -> list[str]:
    """Return the names of all files of some photos."""
    return [name for photo in photos for name in (photo.large, photo.small)]


def delete_files(names: Iterable[str]) -> None:
    """Delete files; those that cannot be deleted now are left to the purge."""
    for name in names:
        try:
            default_storage.delete(name)
        except Exception as error:  # each storage has its own
            logger.warning("A photo could not be deleted: %r", error)


def _write_files(job: Job, photos: Sequence[ReadyPhoto], actor: str, stage: str) -> list[Photo]:
    written: list[str] = []
    rows = []
    try:
        for photo in photos:
            large, small = (_write(content, written) for content in (photo.large, photo.small))
            size = {"width": photo.width, "height": photo.height}
            about = {"job": job, "actor": actor, "stage": stage}
            rows.append(Photo(large=large, small=small, **about, **size))
    except Exception as error:  # each storage has its own
        delete_files(written)
        logger.error("Photos could not be stored: %r", error)
        raise PhotosNotStored(
            "The photos could not be stored.", "Send them again in a few minutes."
        ) from error
    return rows


def _write(content: bytes, written: list[str]) -> str:
    name = default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.jpg", ContentFile(content))
    written.append(name)
    return name


def _note(job: Job, actor: str, before: str, after: str, **tap: Any) -> None:
    change_job(
        job=job,
        kind=JobEvent.Kind.DETAILS,
        changes={},
        noted={"photos": [before, after]},
        actor=actor,
        **tap,
    )
