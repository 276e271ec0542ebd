"""Keys, paths to invalidate and bodies: the rules every back end shares."""

import os
from collections.abc import Iterable
from io import BytesIO
from typing import BinaryIO

from edge import limits
from edge.errors import ContentChanged, EdgeError, KeyRefused, ObjectMissing
from edge.protocols import NewObject

KEY_BYTES = 1_024  # S3's limit


def key_segments(key: str) -> list[str]:
    """Split a key at its slashes. Raises KeyRefused for what no object can be called.

    S3 itself would take `a//b` and `../a`; a folder cannot, and a path of a page never has them.
    """
    segments = key.split("/")
    if not key or len(key.encode(errors="replace")) > KEY_BYTES:
        raise KeyRefused(f"A key has 1 to {KEY_BYTES} bytes, found {key[:40]!r}.")
    if any(segment in ("", ".", "..") for segment in segments) or not key.isprintable():
        raise KeyRefused(
            f"A key is a relative path without '.', '..' and control characters, found {key!r}."
        )
    return segments


def checked_paths(paths: Iterable[str]) -> list[str]:
    """Give the paths in order, each once. Raises EdgeError for an odd one, LimitExceeded."""
    wanted = sorted(set(paths))
    for path in wanted:
        if not path.startswith("/") or "*" in path[:-1]:
            raise EdgeError(f"A path starts with '/' and has '*' at its end only: {path!r}.")
    limits.check_invalidation(wanted)
    return wanted


def reference_taken(reference: str) -> EdgeError:
    """Tell that a reference was used before, for other paths."""
    return EdgeError(
        f"The invalidation {reference!r} was made before, for other paths.",
        "Give another reference.",
    )


def open_body(new: NewObject) -> BinaryIO:
    """Open the body of an object, as long as it was said to be.

    Raises ObjectMissing where it has none, ContentChanged.
    """
    if new.body is None:
        raise ObjectMissing(f"There is nothing to write {new.key!r} from.")
    if isinstance(new.body, bytes):
        return BytesIO(new.body)
    try:
        content = new.body.open("rb")
    except OSError as error:
        raise changed(new, error.strerror or "unreadable") from error
    size = os.fstat(content.fileno()).st_size
    if size != new.size:
        content.close()
        raise changed(new, f"it had {new.size:,} bytes and has {size:,}")
    return content


def changed(new: NewObject, how: str) -> ContentChanged:
    """Tell that bytes are no longer what they were hashed as."""
    return ContentChanged(
        f"What {new.key!r} is made of changed meanwhile: {how}.",
        "Let nothing else write there, then run it again.",
    )
