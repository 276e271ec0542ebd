"""The newest snapshot on disk, for processes that start while the back end does not answer.

Every process writes it when it sees something new; the last one wins, and all write the same. It
holds the key that signs previews, so only its owner may read it.
"""

import json
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from edge.protocols import Snapshot
from edge.serving.host_functions import functions_by_host

logger = logging.getLogger(__name__)

VERSION = 1


class SnapshotFile:
    """Writes and reads the file. No fault of the disk ends a request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_failing = False

    def write(self, snapshot: Snapshot) -> None:
        """Replace the file. A failure is logged once, until it works again."""
        try:
            self._replace(to_json(snapshot))
        except OSError as error:
            if not self._is_failing:
                logger.warning(
                    "Could not write %s: %s. A process that starts without the back end will serve "
                    "older releases or none.", self._path, error.strerror,
                )  # fmt: skip
            self._is_failing = True
        else:
            self._is_failing = False

    def read(self) -> Snapshot | None:
        """Return the snapshot; None if there is none, or none that this version can read."""
        try:
            return from_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("Ignored %s: %s: %s.", self._path, type(error).__name__, error)
            return None

    def _replace(self, body: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Made with mode 0600.
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as output:
                output.write(body)
                output.flush()
                os.fsync(output.fileno())  # it is read after a power failure, of all times
            os.replace(name, self._path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise


def to_json(snapshot: Snapshot) -> bytes:
    """Return the content of the file."""
    fields = {
        "version": VERSION,
        "etag": snapshot.etag,
        "published": snapshot.published,
        "invalidated": snapshot.invalidated,
        "keyvalues": dict(snapshot.keyvalues),
        "functions": dict(snapshot.functions),
    }
    return json.dumps(fields, sort_keys=True).encode()


def from_json(body: bytes) -> Snapshot:
    """Read the content of the file.

    Raises ValueError, KeyError, TypeError or AttributeError if it is anything else.
    """
    fields = json.loads(body)
    if fields["version"] != VERSION:
        raise ValueError(f"expected version {VERSION}, found {fields['version']}")
    keyvalues, functions = _texts(fields["keyvalues"]), _texts(fields["functions"])
    return Snapshot(
        etag=str(fields["etag"]),
        published=int(fields["published"]),
        invalidated=int(fields["invalidated"]),
        keyvalues=keyvalues,
        functions=functions,
        hosts=functions_by_host(keyvalues, functions),
    )


def _texts(values: dict[str, str]) -> dict[str, str]:
    if not all(isinstance(text, str) for text in values.values()):
        raise TypeError("expected texts")
    return values
