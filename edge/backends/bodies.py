"""The bytes a new object is made of: one rule for every back end."""

import os
from io import BytesIO
from typing import BinaryIO

from edge.errors import ContentChanged, ObjectMissing
from edge.protocols import NewObject


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
