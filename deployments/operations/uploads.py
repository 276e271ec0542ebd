"""ZIP archives that arrived by HTTP, kept in the object store until their push has ended.

The task that pushes one may run on another machine. Viewers cannot reach the prefix: the bucket's
policy does not name it, and the edge function has no path that leads there.
"""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, timedelta
from pathlib import Path
from zipfile import is_zipfile

from deployments.errors import Refused
from edge.database_clock import database_now
from edge.protocols import ObjectStore

PREFIX = "uploads/"
TIME = "%Y%m%d%H%M%S"
# An operation is begun within minutes or never; this is for archives without one.
KEPT = timedelta(days=1)
CHUNK_BYTES = 2**20


def keep(objects: ObjectStore, archive: Path) -> str:
    """Store an archive under a new key. Raises Refused, EdgeError."""
    if not is_zipfile(archive):
        raise Refused(
            "upload-no-zip",
            f"Expected a ZIP archive, found {archive.stat().st_size:,} bytes of something else.",
            "Send the archive itself, for example with: curl --data-binary @site.zip",
        )
    key = f"{PREFIX}{database_now().astimezone(UTC):{TIME}}-{secrets.token_hex(16)}.zip"
    objects.put(key, archive, content_type="application/zip", cache_control="no-store")
    return key


@contextmanager
def opened(objects: ObjectStore, key: str) -> Iterator[Path]:
    """Read an archive into a temporary file, which exists while the block runs. Raises Refused."""
    info = objects.head(key)
    if info is None:
        raise Refused("upload-gone", "The archive is not in the store.", "Send it again.")
    with tempfile.TemporaryDirectory(prefix="qdn-upload-") as folder:
        path = Path(folder) / "site.zip"
        part = objects.open_part(key, start=0, end=info.size, if_match=info.etag)
        with closing(part), path.open("wb") as output:
            while chunk := part.read(CHUNK_BYTES):
                output.write(chunk)
        yield path


def remove(objects: ObjectStore, key: str) -> None:
    """Delete an archive. Raises EdgeError."""
    objects.delete([key])


def forget(objects: ObjectStore) -> int:
    """Delete archives whose push never came, or could not delete them. Raises EdgeError."""
    before = f"{PREFIX}{(database_now() - KEPT).astimezone(UTC):{TIME}}"
    old = [one.key for one in objects.list(PREFIX) if one.key < before]
    objects.delete(old)
    return len(old)
