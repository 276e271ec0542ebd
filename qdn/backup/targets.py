"""Where backups are kept: a folder, or a prefix of an S3 bucket."""

import os
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from deployments.errors import Refused

S3 = "s3://"


class FolderTarget(FileSystemStorage):
    """A folder that only its owner can read. Files are written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        super().__init__(location=folder, allow_overwrite=True)

    def _save(self, name: str, content: "File[bytes]") -> str:
        path = Path(self.path(name))
        Path(self.location).mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as output:
                output.writelines(content.chunks())
                output.flush()
                os.fsync(output.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        return name


def place(text: str) -> str:
    """Parse a folder or `s3://bucket/prefix`. Raises ArgumentTypeError."""
    if not text.strip():
        raise ArgumentTypeError("the place is empty; use a folder or s3://bucket/prefix")
    if text.startswith(S3):
        if not text.removeprefix(S3).partition("/")[0]:
            raise ArgumentTypeError(f"{text!r} has no bucket; use s3://bucket/prefix")
        return text
    if "://" in text:
        raise ArgumentTypeError(f"{text!r} is not supported; use a folder or s3://bucket/prefix")
    return text


def open_target(text: str) -> Storage:
    """Return the storage of a place.

    Raises Refused if viewers could read it there, or if it would be lost with what it keeps.
    """
    if text.startswith(S3):
        bucket, _, prefix = text.removeprefix(S3).partition("/")
        if bucket == settings.EDGE_BUCKET:
            raise Refused(
                "backup-place",
                f"{text} is in EDGE_BUCKET, with which the backup would be lost.",
                "Choose another bucket, best in another account.",
            )
        options = {"bucket_name": bucket, "location": prefix, "file_overwrite": True}
        found: Storage = storages.create_storage(
            {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        )
        return found
    folder = Path(text).expanduser().resolve()
    for served in (settings.EDGE_STORE_DIR, settings.MEDIA_ROOT, settings.STATIC_ROOT):
        if folder.is_relative_to(Path(served).resolve()):
            raise Refused(
                "backup-place",
                f"{folder} is inside {served}, from which files are served.",
                "Choose another folder, best on another disk.",
            )
    return FolderTarget(folder)


@contextmanager
def errors_of(place: str) -> Iterator[None]:
    """Raise Refused or EdgeError instead of what a folder or S3 raises, also for media."""
    # Imported here because botocore is slow to import, and few commands need it.
    from edge.backends.aws.errors import translated  # noqa: PLC0415

    try:
        with translated(f"Using {place}"):
            yield
    except OSError as error:
        raise Refused(
            "backup-place",
            f"Could not use {place}: {error.strerror or type(error).__name__}.",
            "Check that it exists, its permissions and its free space.",
        ) from error
