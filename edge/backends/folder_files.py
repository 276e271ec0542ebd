"""The files of a folder store: a line of JSON, what a HEAD tells, and then the content."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from edge.backends.bodies import changed
from edge.errors import BackendUnavailable
from edge.protocols import NewObject, ObjectInfo

CHUNK_BYTES = 2**20


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
            "Delete the file and push the release again, with --mend.",
        ) from error
