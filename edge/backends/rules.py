"""Rules that all back ends share: keys of objects, paths to invalidate, bodies to write."""

import os
from collections.abc import Iterable
from io import BytesIO
from typing import BinaryIO

from edge.errors import ContentChanged, EdgeError, KeyRefused, ObjectMissing, StaleEtag
from edge.limits import Limits
from edge.protocols import NewObject

KEY_BYTES = 1_024  # S3's limit


def key_segments(key: str) -> list[str]:
    """Split a key at its slashes. Raises KeyRefused if no object can have it.

    S3 itself accepts `a//b` and `../a`; a folder cannot hold them, and no page has such a path.
    """
    segments = key.split("/")
    if not key or len(key.encode(errors="replace")) > KEY_BYTES:
        raise KeyRefused(f"Expected a key of 1 to {KEY_BYTES:,} bytes, found {key[:40]!r}.")
    if any(segment in ("", ".", "..") for segment in segments) or not key.isprintable():
        raise KeyRefused(
            "Expected a key to be a relative path without '.', '..' and control characters, "
            f"found {key!r}."
        )
    return segments


def checked_paths(paths: Iterable[str], limits: Limits) -> list[str]:
    """Return the paths sorted, without duplicates.

    Raises EdgeError for a malformed path, LimitExceeded.
    """
    wanted = sorted(set(paths))
    for path in wanted:
        if not path.startswith("/") or "*" in path[:-1]:
            raise EdgeError(
                f"Expected a path that starts with '/', with '*' only at its end, found {path!r}."
            )
    limits.check_invalidation(wanted)
    return wanted


def reference_taken(reference: str) -> EdgeError:
    """Return the error for a reference that was used before, for other paths."""
    return EdgeError(
        f"The reference {reference!r} belongs to an invalidation of other paths.",
        "Use another reference.",
    )


def open_body(new: NewObject) -> BinaryIO:
    """Open the body of an object and check its size.

    Raises ObjectMissing if it has no body, ContentChanged.
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
        raise changed(new, f"it had {new.size:,} bytes and now has {size:,}")
    return content


def replaced(key: str) -> StaleEtag:
    """Return the error for an object that is no longer the one that was looked at."""
    return StaleEtag(f"The object {key!r} was replaced by another one.", "Request it again.")


def changed(new: NewObject, how: str) -> ContentChanged:
    """Return the error for bytes that changed after they were hashed."""
    return ContentChanged(
        f"The source of {new.key!r} changed after it was read: {how}.",
        "Make sure that nothing else writes there, then run it again.",
    )
