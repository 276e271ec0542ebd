"""Files from a ZIP archive: what `push --source ZIP` takes.

An archive may come from anywhere, so nothing in it is believed: its list of files is checked whole
before anything is unpacked, and unpacking counts. Files are unpacked under numbers, never under
their names, so no name can lead anywhere, whatever a check overlooks.
"""

import errno
import hashlib
import io
import tempfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from django.conf import settings

from deployments.artifacts import Artifact, SourceFile, describe, page_path
from deployments.errors import Refused
from deployments.sources.archive_checks import SIGNATURE, checked_entries
from deployments.sources.rules import FILES_AT_MOST

# Folders and what is left out are listed in an archive too.
ENTRIES_AT_MOST = 2 * FILES_AT_MOST
DIRECTORY_BYTES = 32 * 2**20
CHUNK_BYTES = 2**18
# Making a file costs more than unpacking a small one.
SMALL_BYTES, KEPT_BYTES = 32 * 2**10, 32 * 2**20
# What zipfile and zlib raise for archives that are not whole, or are not made as they say.
_BROKEN = (BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error)


@contextmanager
def unpacked(source: Path) -> Iterator[list[SourceFile]]:
    """Unpack an archive, hashed, into a folder that goes away when the block ends.

    Raises Refused for an archive that is broken, encrypted, too large, or holds anything but files
    under names of their own (deployments/sources/archive_checks.py).
    """
    with tempfile.TemporaryDirectory(prefix="qdn-push-") as folder:
        yield _unpack_all(source, Path(folder))


def _unpack_all(source: Path, folder: Path) -> list[SourceFile]:
    try:
        with _Bounded(source) as stream, ZipFile(stream, metadata_encoding="utf-8") as archive:
            entries = checked_entries(archive, stream, source)
            return list(_unpack_each(archive, entries, folder))
    except _BROKEN as error:
        raise _broken(source, str(error) or type(error).__name__) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place before the file's beginning
            raise _broken(source, "it is cut short") from error
        raise Refused(
            "source-unreadable",
            f"--source {source} cannot be unpacked: {error.strerror}.",
            "Make it readable, and room in the folder for temporary files (TMPDIR).",
        ) from error


def _unpack_each(
    archive: ZipFile, entries: Mapping[str, ZipInfo], folder: Path
) -> Iterator[SourceFile]:
    """Unpack files one by one; small ones stay in memory while there is room set aside."""
    top, room = _top_folder(entries), KEPT_BYTES
    for number, (name, info) in enumerate(entries.items()):
        path = name.removeprefix(top)
        if info.file_size <= min(SMALL_BYTES, room):
            room -= info.file_size
            memory = io.BytesIO()
            artifact = _unpack(archive, info, path, memory)
            yield SourceFile(artifact, memory.getvalue())
        else:
            target = folder / str(number)
            with target.open("xb") as output:
                artifact = _unpack(archive, info, path, output)
            yield SourceFile(artifact, target)


def _unpack(archive: ZipFile, info: ZipInfo, path: str, output: BinaryIO) -> Artifact:
    """Unpack one file. Raises BadZipFile when it is not as long as the archive says."""
    digest, size = hashlib.sha256(), 0
    # zipfile stops at the declared size without a word; asked for one byte more, it shows the rest.
    asked = copy(info)
    asked.file_size += 1
    with archive.open(asked) as packed:
        while (chunk := packed.read(CHUNK_BYTES)) and size <= info.file_size:
            size += len(chunk)
            digest.update(chunk)
            output.write(chunk)
    if size != info.file_size:
        raise BadZipFile(f"{path!r} is not as long as it says")
    return describe(path, digest.hexdigest(), size)


def _broken(source: Path, fault: str) -> Refused:
    return Refused(
        "archive-broken",
        f"--source {source} is not a whole ZIP archive: {fault}.",
        "Make it again the ordinary way (deflate, names in UTF-8) and push again.",
    )


def _top_folder(names: Collection[str]) -> str:
    """Name the one folder that all files are in, as in GitHub's archives, with its slash.

    Nothing where the files are where they belong: some surface's page stands at its path already,
    or would stand there no more than before.
    """
    pages = {page_path(surface["path"]) for surface in settings.SURFACES.values()}
    tops = {f"{name.partition('/')[0]}/" for name in names}
    if len(tops) != 1 or not pages.isdisjoint(names):
        return ""
    top = tops.pop()
    return top if any(top + page in names for page in pages) else ""


class _Bounded(io.BufferedReader):
    """A file that zipfile reads no endless list of files from: it would keep all of it in memory.

    zipfile reads the list in one piece, and believes its length only.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        """Read. Raises Refused when that is more, or lists more, than an archive's list may."""
        if size and size > DIRECTORY_BYTES:
            raise _too_many(f"takes more than {DIRECTORY_BYTES // 2**20} MiB")
        data = super().read(size)
        if data.count(SIGNATURE) > ENTRIES_AT_MOST:
            raise _too_many(f"has more than {ENTRIES_AT_MOST:,} entries")
        return data


def _too_many(found: str) -> Refused:
    return Refused(
        "source-too-many",
        f"The archive's list of files {found}.",
        f"A release has at most {FILES_AT_MOST:,} files: archive the built site alone.",
    )
