"""Removing photos some time after their jobs have ended, and files that no row names.

Both are safe to repeat: what a killed run leaves, the next one removes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q

from dispatch.ending import ended_before
from dispatch.models import Photo
from dispatch.photos.storing import FOLDER, delete_files, names_of

BATCH = 100
# A file is written before its row; no request takes this long.
ORPHAN_AGE = timedelta(days=1)


def purge_photos(now: datetime) -> int:
    """Delete the photos of jobs that ended PHOTO_DAYS ago; return how many there were.

    Like the wiping of access notes, this writes neither event nor revision.
    """
    if settings.PHOTO_DAYS <= 0:
        return 0
    ended = ended_before(now - timedelta(days=settings.PHOTO_DAYS))
    purged = 0
    while batch := list(Photo.objects.filter(job__in=ended)[:BATCH]):
        # Rows first: a run that is killed in between leaves files without rows, found below.
        Photo.objects.filter(pk__in=[photo.pk for photo in batch]).delete()
        delete_files(names_of(batch))
        purged += len(batch)
    return purged


def purge_orphans(now: datetime) -> int:
    """Delete files that no row has named for a day; return how many there were."""
    orphans = [name for name in _orphans() if _is_old(name, now)]
    delete_files(orphans)
    return len(orphans)


def _orphans() -> Iterator[str]:
    try:
        files = sorted(default_storage.listdir(FOLDER)[1])
    except FileNotFoundError:  # the folder is made with the first photo
        return
    for start in range(0, len(files), BATCH):
        names = {f"{FOLDER}/{file}" for file in files[start : start + BATCH]}
        rows = Photo.objects.filter(Q(large__in=names) | Q(small__in=names))
        known = names_of(rows)
        yield from sorted(names.difference(known))


def _is_old(name: str, now: datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < now - ORPHAN_AGE
    except FileNotFoundError:  # deleted meanwhile
        return False
