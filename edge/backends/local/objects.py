"""The object store in a folder: one file per object.

A file is a header, one line of JSON with what HEAD returns, followed by the content, so the two
cannot disagree. It is written to a temporary file and moved into place, so a reader sees either the
old object or the new one. Only the file is synced, not its folder: after a power failure the newest
objects may be missing, but none is torn. Empty folders are kept.
"""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from edge.backends.bounded_map import bounded_map
from edge.backends.local.reading import FilePart, absence_told, not_read, read_info, read_whole_info
from edge.backends.rules import changed, key_segments, open_body, replaced
from edge.errors import BackendUnavailable, ContentChanged, KeyRefused, ObjectMissing
from edge.protocols import ListedObject, NewObject, ObjectInfo, StoredObject

SEGMENT_BYTES = 250  # the limit of file systems, less our mark
# Ends the name of every file but of no folder, so the keys `a` and `a/b` can both exist.
MARK = "~"
TEMPORARY = "~writing"
LOCK = "lock"  # of conditional writers, in the folder above
# Threads that write; they mostly wait for the disk.
WRITES_AT_ONCE = 8
CHUNK_BYTES = 2**20


class FolderStore:
    """An ObjectStore in a folder, which is created with the first object."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def head(self, key: str) -> ObjectInfo | None:
        try:
            with self._file(key).open("rb") as file:
                return read_info(key, file)
        except (FileNotFoundError, NotADirectoryError, KeyRefused):
            return None
        except OSError as error:
            raise not_read(key, error) from error

    def get(self, key: str) -> StoredObject:
        with absence_told(key), self._file(key).open("rb") as file:
            return StoredObject(info=read_info(key, file), body=file.read())

    def open_part(self, key: str, *, start: int, end: int, if_match: str) -> FilePart:
        with absence_told(key), ExitStack() as stack:
            file = stack.enter_context(self._file(key).open("rb"))
            if read_whole_info(key, file).etag != if_match:
                raise replaced(key)
            content = file.tell()
            part = FilePart(key, file, content + start, content + end)
            stack.pop_all()  # the part closes the file
            return part

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        content_type: str,
        cache_control: str,
        metadata: Mapping[str, str] | None = None,
        if_match: str | None = None,
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
            self._write(file, header_of(info), [content], if_match)
        except OSError as error:
            raise _not_written(key, error) from error
        return info

    def copy(self, source: str, target: str, *, metadata: Mapping[str, str]) -> ObjectInfo:
        file = self._file(target)
        with absence_told(source), self._file(source).open("rb") as content:
            found = read_whole_info(source, content)
            info = replace(found, key=target, metadata=dict(metadata))
            try:
                self._write(file, header_of(info), chunks(content))
            except OSError as error:
                raise _not_written(target, error) from error
        return info

    def put_all(
        self, objects: Iterable[NewObject], *, on_stored: Callable[[NewObject], None]
    ) -> None:
        bounded_map(self._put_new, objects, at_once=lambda: WRITES_AT_ONCE, on_done=on_stored)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        for key in sorted(self._keys(prefix), key=str.encode):
            info = self.head(key)
            if info:  # else it was deleted in the meantime
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
        """Copy an object; return False if the source is missing or has other content."""
        if not new.copy_of:
            return False
        try:
            with self._file(new.copy_of).open("rb") as content:
                read_info(new.copy_of, content)
                self._write_new(new, content)
        except (FileNotFoundError, NotADirectoryError, ContentChanged):
            if new.body is None:
                raise ObjectMissing(f"{new.copy_of!r} is missing or has other content.") from None
            return False
        return True

    def _write_new(self, new: NewObject, content: BinaryIO) -> None:
        """Write an object from the rest of an open file. Raises ContentChanged."""
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
        """Iterate over the keys with a prefix, in any order."""
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

    def _write(
        self,
        file: Path,
        header: bytes,
        content: Iterable[bytes],
        if_match: str | None = None,
    ) -> None:
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
            with self._condition(file, if_match):
                os.replace(name, file)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise

    @contextmanager
    def _condition(self, file: Path, if_match: str | None) -> Iterator[None]:
        """Keep other conditional writers away while a file is replaced. Raises StaleEtag."""
        if if_match is None:
            yield
            return
        with (self.root / TEMPORARY / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _etag_in(file) != if_match:
                raise replaced(file.name.removesuffix(MARK))
            yield


def _etag_in(file: Path) -> str:
    """Return the ETag of the object in a file, or "" if there is none."""
    with suppress(FileNotFoundError, NotADirectoryError), file.open("rb") as content:
        return read_info(file.name, content).etag
    return ""


def _segments(key: str) -> list[str]:
    """Return the names of a key's folders and file. Raises KeyRefused."""
    # The mark must not occur in a name, so it is escaped, and so is the escape character.
    names = [segment.replace("%", "%25").replace("~", "%7E") for segment in key_segments(key)]
    if any(len(name.encode()) > SEGMENT_BYTES for name in names):
        raise KeyRefused(
            f"Expected names of at most {SEGMENT_BYTES} bytes in a key, found {key[:40]!r}."
        )
    return names


def _not_written(key: str, error: OSError) -> BackendUnavailable:
    return BackendUnavailable(
        f"Could not write the object {key!r}: {error.strerror}.",
        "Check the free space and the permissions of EDGE_STORE_DIR.",
    )


def chunks(content: BinaryIO) -> Iterator[bytes]:
    """Iterate over the rest of a file in chunks."""
    while chunk := content.read(CHUNK_BYTES):
        yield chunk


def checked(new: NewObject, content: BinaryIO) -> Iterator[bytes]:
    """Pass chunks on. Raises ContentChanged at the end if they are not the object's bytes."""
    found, size = hashlib.sha256(), 0
    for chunk in chunks(content):
        found.update(chunk)
        size += len(chunk)
        yield chunk
    if (size, found.hexdigest()) != (new.size, new.sha256):
        raise changed(new, "its SHA-256 is different")


def etag_of(content: Iterable[bytes]) -> str:
    """Return the ETag that S3 gives an object put in one request: its MD5 in quotes."""
    found = hashlib.md5(usedforsecurity=False)
    for chunk in content:
        found.update(chunk)
    return f'"{found.hexdigest()}"'


def header_of(info: ObjectInfo) -> bytes:
    """Return the header of a file."""
    fields = {
        "size": info.size,
        "etag": info.etag,
        "content_type": info.content_type,
        "cache_control": info.cache_control,
        "metadata": dict(info.metadata),
    }
    return json.dumps(fields, sort_keys=True).encode() + b"\n"
