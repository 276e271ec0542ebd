"""The objects of the store in a backup: everything but tracking documents, which links restore."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from django.core.files.storage import Storage

from edge.errors import ObjectMissing
from edge.protocols import ListedObject, NewObject, ObjectStore
from qdn.backup import contents, record

AT_ONCE = 500  # objects listed at a time
REQUESTS_AT_ONCE = 8
# Larger ones are read one after another, since an object is read as a whole.
LARGE_BYTES = 8 * 2**20
# Written again by publishing, by `doctor`, as media, and by the next backup.
NOT_KEPT = ("jobs/", "doctor/", "media/", record.KEY)
# Never changed once written, so that a difference is damage. Others may be newer in the store.
IMMUTABLE = ("assets/", "releases/")
Row = dict[str, Any]
# By key: ETag, size and SHA-256.
Known = dict[str, tuple[str, int, str]]


def known_objects(rows: Iterator[Row]) -> Known:
    """Return what an earlier backup knows, so that unchanged objects need not be read."""
    return {row["key"]: (row["etag"], row["size"], row["sha256"]) for row in rows}


def kept_objects(objects: ObjectStore) -> Iterator[ListedObject]:
    """Iterate over the objects that belong into a backup. Raises EdgeError."""
    return (one for one in objects.list("") if not one.key.startswith(NOT_KEPT))


def back_up_objects(
    objects: ObjectStore, target: Storage, known: Known
) -> Iterator[tuple[Row, bool]]:
    """Store the contents of all objects. Yield a row of each, and whether its content is new."""

    def one(listed: ListedObject) -> tuple[Row, bool] | None:
        return _back_up(objects, target, known, listed)

    listed = kept_objects(objects)
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        while batch := list(islice(listed, AT_ONCE)):
            yield from filter(None, pool.map(one, [x for x in batch if x.size <= LARGE_BYTES]))
            yield from filter(None, map(one, [x for x in batch if x.size > LARGE_BYTES]))


def _back_up(
    objects: ObjectStore, target: Storage, known: Known, listed: ListedObject
) -> tuple[Row, bool] | None:
    """Store one object's content; None if it was removed in the meantime."""
    info, is_new = objects.head(listed.key), False
    if info is None:
        return None
    etag, size, sha256 = known.get(info.key, ("", 0, ""))
    if (etag, size) != (info.etag, info.size) or not contents.has(target, sha256, size):
        try:
            found = objects.get(listed.key)
        except ObjectMissing:
            return None
        info = found.info
        sha256, is_new = contents.keep(target, found.body)
    row = {
        "key": info.key,
        "sha256": sha256,
        "size": info.size,
        "etag": info.etag,
        "content_type": info.content_type,
        "cache_control": info.cache_control,
        "metadata": dict(info.metadata),
    }
    return row, is_new


class LostObjects:
    """The objects of a backup that a store lacks, or whose bytes differ although they never change.

    `rows` are all rows of the backup; those of `removed` releases are left out.
    """

    def __init__(self, objects: ObjectStore, *, removed: frozenset[str] = frozenset()) -> None:
        self._stored = {one.key: (one.etag, one.size) for one in kept_objects(objects)}
        self._removed = removed

    def among(self, rows: Iterator[Row]) -> Iterator[Row]:
        return (row for row in rows if self._is_lost(row))

    def _is_lost(self, row: Row) -> bool:
        folder, _, rest = row["key"].partition("/")
        if folder == "releases" and rest.partition("/")[0] in self._removed:
            return False
        stored = self._stored.get(row["key"])
        if stored is None:
            return True
        return row["key"].startswith(IMMUTABLE) and stored != (row["etag"], row["size"])


def restore_objects(objects: ObjectStore, target: Storage, lost: Iterator[Row]) -> int:
    """Write lost objects with their headers, and return how many. Raises EdgeError."""
    written = 0

    def count(_: NewObject) -> None:
        nonlocal written
        written += 1

    objects.put_all((_new_object(target, row) for row in lost), on_stored=count)
    return written


def _new_object(target: Storage, row: Row) -> NewObject:
    return NewObject(
        key=row["key"],
        sha256=row["sha256"],
        size=row["size"],
        content_type=row["content_type"],
        cache_control=row["cache_control"],
        metadata=row["metadata"],
        body=contents.body(target, row["sha256"]),
    )
