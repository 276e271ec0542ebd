"""Reading the files of the object store: their headers, and parts of their content."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import BinaryIO

from edge.errors import BackendUnavailable, KeyRefused, ObjectMissing
from edge.protocols import ObjectInfo


class FilePart:
    """The bytes of an open file between two positions.

    A WSGI server may send them without reading them here: `fileno` is at the first byte, and `seek`
    takes positions of the file. It has no `tell`, so servers do not take it for a whole file.
    """

    def __init__(self, key: str, file: BufferedReader, start: int, end: int) -> None:
        self._key = key
        self._file = file.detach()  # a buffer would read ahead, and move the descriptor's position
        self._file.seek(start)
        self._end = end

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes. Raises BackendUnavailable."""
        try:
            left = max(0, self._end - self._file.tell())
            return self._file.read(left if size < 0 else min(size, left)) or b""
        except OSError as error:
            raise not_read(self._key, error) from error

    def seek(self, position: int, /) -> int:
        return self._file.seek(position)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@contextmanager
def absence_told(key: str) -> Iterator[None]:
    """Translate the errors of reading an object. Raises ObjectMissing, BackendUnavailable."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, KeyRefused):
        raise ObjectMissing(f"There is no object {key!r}.") from None
    except OSError as error:
        raise not_read(key, error) from error


def not_read(key: str, error: OSError) -> BackendUnavailable:
    """Return the error for an object that exists but cannot be read."""
    return BackendUnavailable(
        f"Could not read the object {key!r}: {error.strerror}.",
        "Check the permissions of EDGE_STORE_DIR and the limit of open files (ulimit -n).",
    )


def read_info(key: str, file: BinaryIO) -> ObjectInfo:
    """Read the header of a file. Raises BackendUnavailable."""
    try:
        return ObjectInfo(key=key, **json.loads(file.readline()))
    except (ValueError, TypeError) as error:
        raise BackendUnavailable(
            f"The file of the object {key!r} does not begin with a header: {error}.",
            "Delete the file and push the release again with --repair.",
        ) from error


def read_whole_info(key: str, file: BinaryIO) -> ObjectInfo:
    """Read the header of a file, and check that all of the content is there.

    A response states the size before its body is read. Raises BackendUnavailable.
    """
    info = read_info(key, file)
    found = os.fstat(file.fileno()).st_size - file.tell()
    if found != info.size:
        raise BackendUnavailable(
            f"The object {key!r} should have {info.size:,} bytes; its file has {found:,}.",
            "Delete the file and push the release again with --repair.",
        )
    return info
