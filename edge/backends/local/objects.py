"""The object store in a folder: one file per object.

A file holds a line of JSON (what a HEAD tells) and then the content, so the two cannot disagree; it
is written beside the store and moved into place, so a reader sees the old object or the new one.
Only the file is synced, not its folder: after a power cut the newest objects may be missing, never
torn. Folders that become empty stay.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from edge.backends.bounded_map import bounded_map
from edge.backends.rules import changed, key_segments, open_body
from edge.errors import BackendUnavailable, ContentChanged, KeyRefused, ObjectMissing
from edge.protocols import ListedObject, NewObject, ObjectInfo, StoredObject

SEGMENT_BYTES = 250  # what file systems take, less our mark
# Names of files end in this, names of folders never do, so the keys `a` and `a/b` get along.
MARK = "~"
TEMPORARY = "~writing"
# Threads that write: what they wait for is the disk.
WRITES_AT_ONCE = 8
CHUNK_BYTES = 2**20


class FolderStore:
    """An ObjectStore in a folder, which is made when the first object is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def head(self, key: str) -> ObjectInfo | None:
        try:
            with self._file(key).open("rb") as file:
                return read_info(key, file)
        except (FileNotFoundError, NotADirectoryError, KeyRefused):
            return None
        except OSError as error:
            raise _not_read(key, error) from error

    def get(self, key: str) -> StoredObject:
        try:
            with self._file(key).open("rb") as file:
                return StoredObject(info=read_info(key, file), body=file.read())
        except (FileNotFoundError, NotADirectoryError, KeyRefused):
            raise ObjectMissing(f"There is no object {key!r}.") from None
        except OSError as error:
            raise _not_read(key, error) from error

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        content_type: str,
        cache_control: str,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        file = self._file(key)
        content = body if isinstance(body, bytes) else body.read_bytes()
        info = ObjectInfo(
            key=key,
            size=len(content),
            etag=etag_of([content]),
            content_type=content_type,
            cache_control=cache_control,
            metadata=dict(metadata or {}),
        )
        try:
            self._write(file, header_of(info), [content])
        except OSError as error:
            raise _not_written(key, error) from error
        return info

    def copy(self, source: str, target: str, *, metadata: Mapping[str, str]) -> ObjectInfo:
        found = self.get(source)
        return self.put(
            target,
            found.body,
            content_type=found.info.content_type,
            cache_control=found.info.cache_control,
            metadata=metadata,
        )

    def put_all(
        self, objects: Iterable[NewObject], *, on_stored: Callable[[NewObject], None]
    ) -> None:
        bounded_map(self._put_new, objects, at_once=lambda: WRITES_AT_ONCE, on_done=on_stored)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        for key in sorted(self._keys(prefix), key=str.encode):
            info = self.head(key)
            if info:  # else deleted since
                yield ListedObject(key=info.key, size=info.size, etag=info.etag)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            with suppress(FileNotFoundError, NotADirectoryError, KeyRefused):
                self._file(key).unlink()

    def _put_new(self, new: NewObject) -> None:
        try:
            if not self._copied(new):
                with open_body(new) as content:
                    self._write_new(new, content)
        except OSError as error:
            raise _not_written(new.key, error) from error

    def _copied(self, new: NewObject) -> bool:
        """Write an object from another one; False where that is gone or holds something else."""
        if not new.copy_of:
            return False
        try:
            with self._file(new.copy_of).open("rb") as content:
                read_info(new.copy_of, content)
                self._write_new(new, content)
        except (FileNotFoundError, NotADirectoryError, ContentChanged):
            if new.body is None:
                raise ObjectMissing(f"{new.copy_of!r} is gone, or another object.") from None
            return False
        return True

    def _write_new(self, new: NewObject, content: BinaryIO) -> None:
        """Write one object of what follows in an open file, if that is what it shall be."""
        start = content.tell()
        etag = etag_of(chunks(content))
        content.seek(start)
        info = ObjectInfo(
            key=new.key,
            size=new.size,
            etag=etag,
            content_type=new.content_type,
            cache_control=new.cache_control,
            metadata=dict(new.metadata),
        )
        self._write(self._file(new.key), header_of(info), checked(new, content))

    def _file(self, key: str) -> Path:
        *folders, name = _segments(key)
        return self.root.joinpath(*folders, name + MARK)

    def _keys(self, prefix: str) -> Iterator[str]:
        """Find the keys with a prefix, in no order."""
        parent = prefix.rpartition("/")[0]
        try:
            top = self.root.joinpath(*_segments(parent)) if parent else self.root
        except KeyRefused:
            return
        for folder, folders, names in os.walk(top):
            if TEMPORARY in folders:
                folders.remove(TEMPORARY)
            for name in names:
                path = Path(folder, name.removesuffix(MARK)).relative_to(self.root)
                key = path.as_posix().replace("%7E", "~").replace("%25", "%")
                if key.startswith(prefix):
                    yield key

    def _write(self, file: Path, header: bytes, content: Iterable[bytes]) -> None:
        temporary = self.root / TEMPORARY
        temporary.mkdir(parents=True, exist_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=temporary)
        try:
            with os.fdopen(descriptor, "wb") as output:
                output.write(header)
                output.writelines(content)
                output.flush()
                os.fsync(output.fileno())
            os.replace(name, file)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise


def _segments(key: str) -> list[str]:
    """Split a key into names for the file system. Raises KeyRefused."""
    # The mark must not occur in a name, so it is escaped, and so is what escapes it.
    names = [segment.replace("%", "%25").replace("~", "%7E") for segment in key_segments(key)]
    if any(len(name.encode()) > SEGMENT_BYTES for name in names):
        raise KeyRefused(f"A name within a key has at most {SEGMENT_BYTES} bytes: {key[:40]!r}.")
    return names


def _not_read(key: str, error: OSError) -> BackendUnavailable:
    return BackendUnavailable(
        f"Could not read the object {key!r}: {error.strerror}.",
        "Check the rights of EDGE_STORE_DIR, and how many files may be open (ulimit -n).",
    )


def _not_written(key: str, error: OSError) -> BackendUnavailable:
    return BackendUnavailable(
        f"Could not write the object {key!r}: {error.strerror}.",
        "Check the space and the rights of the folder EDGE_STORE_DIR.",
    )


def chunks(content: BinaryIO) -> Iterator[bytes]:
    """Read what is left of a file, piece by piece."""
    while chunk := content.read(CHUNK_BYTES):
        yield chunk


def checked(new: NewObject, content: BinaryIO) -> Iterator[bytes]:
    """Pass bytes on. Raises ContentChanged in the end when they were not those of the object."""
    found, size = hashlib.sha256(), 0
    for chunk in chunks(content):
        found.update(chunk)
        size += len(chunk)
        yield chunk
    if (size, found.hexdigest()) != (new.size, new.sha256):
        raise changed(new, "its SHA-256 is another one")


def etag_of(content: Iterable[bytes]) -> str:
    """Tell the ETag S3 gives an object that was put in one request: its MD5, quoted."""
    found = hashlib.md5(usedforsecurity=False)
    for chunk in content:
        found.update(chunk)
    return f'"{found.hexdigest()}"'


def header_of(info: ObjectInfo) -> bytes:
    """Make the first line of a file."""
    fields = {
        "size": info.size,
        "etag": info.etag,
        "content_type": info.content_type,
        "cache_control": info.cache_control,
        "metadata": dict(info.metadata),
    }
    return json.dumps(fields, sort_keys=True).encode() + b"\n"


def read_info(key: str, file: BinaryIO) -> ObjectInfo:
    """Read the first line of a file. Raises BackendUnavailable."""
    try:
        return ObjectInfo(key=key, **json.loads(file.readline()))
    except (ValueError, TypeError) as error:
        raise BackendUnavailable(
            f"The file of the object {key!r} does not start with its header: {error}.",
            "Delete the file and push the release again, with --repair.",
        ) from error
