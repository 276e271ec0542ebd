"""The private registry in the object store: it alone brings every job's link back."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.protocols import NewObject, ObjectStore
from tracking.errors import RegistryUnreadable
from tracking.registry.exporting import private_rows, write_rows

KEY = "registry/jobs.json"
CHUNK = 2**20


def write_registry(objects: ObjectStore, *, dry_run: bool = False) -> int:
    """Write the registry and return how many jobs it has. Raises EdgeError.

    Memory does not grow with it: the rows go to a file first, and its bytes to the store.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "jobs.json")
        with path.open("w", encoding="utf-8") as file:
            count = write_rows(file, private_rows())
        if not dry_run:
            # Not `put`, which may read the whole file.
            objects.put_all([_object(path)], on_stored=lambda new: None)
    return count


@contextmanager
def stored_registry(objects: ObjectStore) -> Iterator[Path]:
    """Copy the store's registry to a file. Raises RegistryUnreadable or EdgeError."""
    info = objects.head(KEY)
    if info is None:
        raise RegistryUnreadable(
            f"The object store has no {KEY}.", "Check that it is the store of this site."
        )
    with TemporaryDirectory() as folder:
        path = Path(folder, "jobs.json")
        path.touch(mode=0o600)
        source = objects.open_part(KEY, start=0, end=info.size, if_match=info.etag)
        try:
            with path.open("wb") as file:
                while chunk := source.read(CHUNK):
                    file.write(chunk)
        finally:
            source.close()
        yield path


def _object(path: Path) -> NewObject:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return NewObject(
        key=KEY,
        sha256=digest,
        size=path.stat().st_size,
        content_type="application/json",
        cache_control="no-store",
        metadata={},
        body=path,
    )
