"""Contents of objects and media files in a target, each stored once by its SHA-256."""

import hashlib
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from deployments.errors import Refused
from qdn.backup.archive import CHUNK_BYTES
from qdn.backup.targets import FolderTarget


def path_of(sha256: str) -> str:
    return f"objects/{sha256[:2]}/{sha256}"


def has(target: Storage, sha256: str, size: int) -> bool:
    """Whether a target has a content; one of another size was damaged."""
    try:
        return target.size(path_of(sha256)) == size
    except FileNotFoundError:
        return False


def keep(target: Storage, body: "bytes | File[bytes]") -> tuple[str, bool]:
    """Store a content, unless it is there. Return its SHA-256, and whether it is new."""
    content = ContentFile(body) if isinstance(body, bytes) else body
    sha256 = digest(content)
    size = content.size
    if has(target, sha256, size):
        return sha256, False
    content.seek(0)
    target.save(path_of(sha256), content)
    return sha256, True


def digest(content: "File[Any]") -> str:
    """Return the SHA-256 of a file's content in hex."""
    found = hashlib.sha256()
    for chunk in content.chunks(CHUNK_BYTES):
        found.update(chunk)
    return found.hexdigest()


def body(target: Storage, sha256: str) -> bytes | Path:
    """Return a content: in a folder, its file."""
    if isinstance(target, FolderTarget):
        return Path(target.path(path_of(sha256)))
    with target.open(path_of(sha256)) as file:
        found: bytes = file.read()
        return found


def check(target: Storage, sha256: str, size: int, name: str) -> None:
    """Refuse a backup whose content for `name` is missing. Raises Refused (`backup-damaged`)."""
    if not has(target, sha256, size):
        raise Refused(
            "backup-damaged",
            f"The backup is damaged: the content of {name} is missing or truncated.",
            "Use another copy of the backup. Nothing was changed.",
        )
