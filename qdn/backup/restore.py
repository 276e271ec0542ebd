"""Restoring a backup: the database in one transaction, then what the store and media lack."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from django.core.files.storage import Storage
from django.db import DatabaseError, connection, transaction

from deployments.errors import PartlyChanged, Refused
from deployments.models import Release
from deployments.wording import plural, reason_of
from dispatch.numbers import last_number, raise_last_number
from edge.errors import EdgeError
from edge.protocols import ObjectStore
from qdn.backup import contents
from qdn.backup.archive import MEDIA, STORE, Archive, Manifest, find_archive
from qdn.backup.media import lost_media, restore_media
from qdn.backup.schema import (
    check_not_newer,
    is_older,
    make_empty,
    reset_sequences,
    tables_with_content,
)
from qdn.backup.store import LostObjects, restore_objects
from qdn.backup.targets import errors_of, open_target
from tracking.numbers import continued, highest_known
from tracking.publishing import publish

Say = Callable[[str], None]
Confirm = Callable[[str], None]
MIGRATE, VERIFY = "manage.py migrate", "manage.py verify"
REWRITE = "manage.py publish_tracking --all"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, or would be. `next` are the commands to run afterwards.

    `tables`, `rows` and `last_number` are 0 if the database was left alone; `documents` are those
    written again, only then.
    """

    backup: str
    created_at: str
    next: tuple[str, ...]
    tables: int = 0
    rows: int = 0
    objects: int = 0
    media: int = 0
    last_number: int = 0
    documents: int = 0


def restore(
    place: str,
    objects: ObjectStore,
    *,
    name: str | None = None,
    replace_rows: bool = False,
    confirm: Confirm,
    say: Say,
    dry_run: bool = False,
) -> Restored:
    """Restore database, store and media from the newest backup of a place, or from the named one.

    Everything is checked before anything changes. The tracking documents are left as they are.
    Raises Refused, EdgeError (nothing changed), PartlyChanged: the database was restored.
    """
    with errors_of(place):
        run = _Run(place, objects, name, say)
        check_not_newer(run.manifest.migrations)
        filled = _check_empty(replace_rows=replace_rows)
        run.check(tables=True)
        found = replace(run.planned(), next=_next_after(run.manifest))
        if dry_run:
            return found
        if filled:
            confirm(f"Replace all rows of {connection.settings_dict['NAME']} by {found.backup}?")
        say(f"Restore the database from {found.backup}")
        last = _restore_rows(run.archive, run.manifest, objects)
        return replace(run.restore_files(found), last_number=last)


def restore_store(
    place: str, objects: ObjectStore, *, name: str | None = None, say: Say, dry_run: bool = False
) -> Restored:
    """Bring lost objects and media back, and write every tracking document; keep the database.

    Raises Refused, EdgeError, PartlyChanged, PublishingFailed.
    """
    with errors_of(place):
        run = _Run(place, objects, name, say, removed=_removed_releases())
        run.check(tables=False)
        found = replace(run.planned(), tables=0, rows=0)
        if not dry_run:
            found = run.restore_files(found)
    say("Write the tracking documents")
    documents = publish(objects=objects, everything=True, dry_run=dry_run)["written"]
    return replace(found, documents=documents)


class _Run:
    """A backup, and what the store and media lack of it."""

    def __init__(
        self,
        place: str,
        objects: ObjectStore,
        name: str | None,
        say: Say,
        removed: frozenset[str] = frozenset(),
    ) -> None:
        self._place, self._objects, self._say = place, objects, say
        self._target: Storage = open_target(place)
        self.archive: Archive = find_archive(self._target, name)
        self.manifest: Manifest = self.archive.read_manifest()
        self._lost = LostObjects(objects, removed=removed)

    def check(self, *, tables: bool) -> None:
        """Check the digests of all parts, and that the contents to restore exist."""
        self._say(f"Check the backup {self.manifest.name}")
        for path, part in self.manifest.parts.items():
            if tables or path in {STORE, MEDIA}:
                self.archive.check(path, part)
        for row in chain(self._objects_lost(), self._media_lost()):
            name = row.get("key") or row["name"]
            contents.check(self._target, row["sha256"], row["size"], name)

    def planned(self) -> Restored:
        manifest = self.manifest
        return Restored(
            backup=manifest.name,
            created_at=manifest.created_at,
            next=(VERIFY,),
            tables=len(manifest.tables),
            rows=manifest.rows,
            objects=sum(1 for _ in self._objects_lost()),
            media=sum(1 for _ in self._media_lost()),
        )

    def restore_files(self, planned: Restored) -> Restored:
        """Write what the store and media lack. Raises PartlyChanged."""
        self._say(f"Restore {plural(planned.objects, 'object')} and {planned.media} media files")
        try:
            with errors_of(self._place):
                written = restore_objects(self._objects, self._target, self._objects_lost())
                files = restore_media(self._target, self._media_lost())
        except (EdgeError, Refused) as error:
            raise PartlyChanged(
                "restore-unfinished",
                f"Restoring objects and media did not finish: {reason_of(error)}.",
                f"Run: manage.py restore {self._place} --backup {self.manifest.name} --store",
            ) from error
        return replace(planned, objects=written, media=files)

    def _objects_lost(self) -> Iterator[Any]:
        return self._lost.among(self.archive.lines(STORE, self.manifest.parts[STORE]))

    def _media_lost(self) -> Iterator[Any]:
        return lost_media(self.archive.lines(MEDIA, self.manifest.parts[MEDIA]))


def _restore_rows(archive: Archive, manifest: Manifest, objects: ObjectStore) -> int:
    """Replace all rows in one transaction; return the last job number. Raises Refused.

    The counter of job numbers is raised only if the store knows higher numbers than the backup.
    """
    known = highest_known(objects)
    try:
        with connection.constraint_checks_disabled(), transaction.atomic():
            tables = make_empty(connection, manifest.migrations)
            for table in tables:
                path = f"tables/{table.name}"
                table.load(archive.lines(path, manifest.parts[path]))
            reset_sequences(connection, tables)
            connection.check_constraints()
            number = continued(last_number(), known=known)
            raise_last_number(number)
            return number
    except DatabaseError as error:
        raise Refused(
            "restore-failed",
            f"The rows could not be written: {' '.join(str(error).split())}. "
            "The database is as it was.",
            "Stop all processes that use the database, and check its free space; then run it "
            "again.",
        ) from error


def _check_empty(*, replace_rows: bool) -> list[str]:
    """Return the tables that have content. Raises Refused unless they may be replaced."""
    filled = tables_with_content(connection)
    if filled and not replace_rows:
        raise Refused(
            "database-not-empty",
            f"Expected an empty database, found rows in {plural(len(filled), 'table')}, "
            f"first {filled[0]}.",
            "Point DATABASE_URL to a new database, or replace all rows: add --replace. If only the "
            "object store was lost: add --store.",
        )
    return filled


def _next_after(manifest: Manifest) -> tuple[str, ...]:
    older = (MIGRATE,) if is_older(manifest.migrations) else ()
    return (*older, REWRITE, VERIFY)


def _removed_releases() -> frozenset[str]:
    """Return the releases that retention removed, and that must not come back."""
    gone = Release.objects.filter(removed_at__isnull=False)
    return frozenset(gone.values_list("name", flat=True))
