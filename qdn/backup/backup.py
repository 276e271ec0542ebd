"""Making a backup: all of it, or nothing that `restore` would take for one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import Storage

from deployments.errors import Refused
from edge.protocols import ObjectStore
from qdn.backup.archive import MEDIA, STORE, Archive, Manifest, find_archive, new_manifest
from qdn.backup.media import back_up_media, known_files, media_names
from qdn.backup.record import record_backup
from qdn.backup.schema import applied_migrations, tables_at
from qdn.backup.snapshot import snapshot
from qdn.backup.store import back_up_objects, kept_objects, known_objects
from qdn.backup.targets import errors_of, open_target

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds, or would hold: `name` and `new` are None in a dry run.

    `objects` are those of the store, `media` files; `new` counts the contents that no earlier
    backup in the same place had.
    """

    tables: int
    rows: int
    objects: int
    media: int
    backup: str | None = None
    new: int | None = None


def back_up(place: str, objects: ObjectStore, *, say: Say, dry_run: bool = False) -> BackedUp:
    """Back up database, object store and media to a folder or `s3://bucket/prefix`.

    The rows are those of one moment. Objects are read after them, so every release that the rows
    know is there. Raises Refused, EdgeError: then there is no new backup.
    """
    with errors_of(place):
        target = open_target(place)
        if dry_run:
            return _planned(objects)
        done = _Run(target, say).back_up(objects)
    record_backup(objects, done.backup or "")
    return done


class _Run:
    """One run. The parts that an interrupted one has written are removed again."""

    def __init__(self, target: Storage, say: Say) -> None:
        self._target, self._say, self._new = target, say, 0

    def back_up(self, objects: ObjectStore) -> BackedUp:
        known = {path: self._known(path) for path in (STORE, MEDIA)}
        with snapshot() as reader:
            migrations = applied_migrations(reader)
            manifest = new_manifest(vendor=reader.vendor, migrations=migrations)
            self._say(f"Back up the database to {manifest.name}")
            with self._written(manifest) as archive:
                for table in tables_at(reader, migrations):
                    path = f"tables/{table.name}"
                    manifest.parts[path] = archive.write(path, table.dump())
                reader.rollback()  # objects may take long, and the snapshot has a cost
                self._say("Back up the object store and media")
                found = back_up_objects(objects, self._target, known_objects(known[STORE]))
                manifest.parts[STORE] = archive.write(STORE, self._counted(found))
                found = back_up_media(self._target, known_files(known[MEDIA]))
                manifest.parts[MEDIA] = archive.write(MEDIA, self._counted(found))
        return _summary(manifest, self._new)

    @contextmanager
    def _written(self, manifest: Manifest) -> Iterator[Archive]:
        archive = Archive(self._target, manifest.name)
        try:
            yield archive
            archive.finish(manifest)
        except BaseException:
            with suppress(Exception):  # the first error counts
                archive.discard(manifest.parts)
            raise

    def _known(self, path: str) -> Iterator[Any]:
        """Iterate over the lines of the newest backup; a damaged one knows nothing."""
        with suppress(Refused):
            archive = find_archive(self._target)
            yield from archive.lines(path, archive.read_manifest().parts[path])

    def _counted(self, rows: Iterable[tuple[Any, bool]]) -> Iterator[Any]:
        for row, is_new in rows:
            self._new += is_new
            yield row


def _planned(objects: ObjectStore) -> BackedUp:
    with snapshot() as reader:
        tables = tables_at(reader, applied_migrations(reader))
        rows = sum(table.count() for table in tables)
    return BackedUp(
        len(tables), rows, sum(1 for _ in kept_objects(objects)), sum(1 for _ in media_names())
    )


def _summary(manifest: Manifest, new: int) -> BackedUp:
    parts = manifest.parts
    return BackedUp(
        tables=len(manifest.tables),
        rows=manifest.rows,
        objects=parts[STORE].rows,
        media=parts[MEDIA].rows,
        backup=manifest.name,
        new=new,
    )
