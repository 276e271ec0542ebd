"""The files of a ZIP archive given to `push --source`.

An archive may come from anywhere, so nothing in it is trusted: the whole list of files is checked
before anything is unpacked, and unpacking counts bytes. Files are unpacked under numbers, never
under their names, so a name that passes the checks still cannot lead out of the folder.
"""

import errno
import hashlib
import io
import re
import stat
import struct
import tempfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.conf import settings

from deployments.errors import Refused
from deployments.releases.manifest import Artifact, SourceFile, describe, page_path
from deployments.sources.limits import (
    FILES_AT_MOST,
    check_name,
    check_public,
    check_size,
    is_skipped,
)

# An archive also lists folders and ignored files.
ENTRIES_AT_MOST = 2 * FILES_AT_MOST
DIRECTORY_BYTES = 32 * 2**20
CHUNK_BYTES = 2**18
# Creating a file costs more than unpacking a small one.
SMALL_BYTES, KEPT_BYTES = 32 * 2**10, 32 * 2**20
# Raised by zipfile and zlib for archives that are truncated or malformed.
_BROKEN = (BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error)
SIGNATURE = b"PK\x01\x02"  # begins every entry of the list
LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, length of the name, length of the extra field
LOCAL_SIGNATURE = b"PK\x03\x04"
ENCRYPTED_FLAGS = 0x2041  # 0 encrypted, 6 strong encryption, 13 masked headers
DOS_LINK = 0x400  # the reparse point among Windows' attributes
# The others (bzip2, LZMA) pack a thousand times tighter, and LZMA's use of memory has no limit.
METHODS = {ZIP_STORED, ZIP_DEFLATED}

# Anything smaller is harmless at any ratio; a built site compresses three to ten times.
RATIO_BYTES = 100 * 2**20
RATIO_AT_MOST = 100


@contextmanager
def unpacked(source: Path) -> Iterator[list[SourceFile]]:
    """Unpack and hash the files of an archive, in a temporary folder.

    Raises Refused for an archive that is broken, encrypted or too large, or that contains anything
    but files with distinct names.
    """
    with tempfile.TemporaryDirectory(prefix="qdn-push-") as folder:
        yield _unpack_all(source, Path(folder))


def _unpack_all(source: Path, folder: Path) -> list[SourceFile]:
    try:
        with _Bounded(source) as stream, ZipFile(stream, metadata_encoding="utf-8") as archive:
            entries = checked_entries(archive, stream, source)
            top = _top_folder(entries)
            for name in entries:
                check_public(name.removeprefix(top))
            return list(_unpack_each(archive, entries, top, folder))
    except _BROKEN as error:
        raise _broken(source, str(error) or type(error).__name__) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a position before the start of the file
            raise _broken(source, "it is truncated") from error
        raise Refused(
            "source-unreadable",
            f"--source {source} cannot be unpacked: {error.strerror}.",
            "Make it readable, and free space in the folder for temporary files (TMPDIR).",
        ) from error


def _unpack_each(
    archive: ZipFile, entries: Mapping[str, ZipInfo], top: str, folder: Path
) -> Iterator[SourceFile]:
    """Unpack files one by one; small ones stay in memory until KEPT_BYTES are used."""
    room = KEPT_BYTES
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
    """Unpack one file. Raises BadZipFile if its size is not the declared one."""
    digest, size = hashlib.sha256(), 0
    # zipfile silently stops at the declared size; asked for one byte more, it reads on.
    asked = copy(info)
    asked.file_size += 1
    with archive.open(asked) as packed:
        while (chunk := packed.read(CHUNK_BYTES)) and size <= info.file_size:
            size += len(chunk)
            digest.update(chunk)
            output.write(chunk)
    if size != info.file_size:
        raise BadZipFile(f"{path!r} does not have its declared size")
    return describe(path, digest.hexdigest(), size)


def _broken(source: Path, fault: str) -> Refused:
    return Refused(
        "archive-broken",
        f"--source {source} is not an intact ZIP archive: {fault}.",
        "Create it again with common settings (deflate, names in UTF-8) and push again.",
    )


def _top_folder(names: Collection[str]) -> str:
    """Return the folder around all files, as in GitHub's archives, with its slash.

    An empty string if there is none, if a surface's page is at its path already, or if removing
    the folder would not put one there.
    """
    pages = {page_path(surface["path"]) for surface in settings.SURFACES.values()}
    tops = {f"{name.partition('/')[0]}/" for name in names}
    if len(tops) != 1 or not pages.isdisjoint(names):
        return ""
    top = tops.pop()
    return top if any(top + page in names for page in pages) else ""


class _Bounded(io.BufferedReader):
    """A file that limits the list of files that zipfile reads.

    zipfile reads the list in one piece, trusts its declared length and keeps all of it in memory.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        """Read. Raises Refused beyond the limits on bytes and entries of the list."""
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
        f"A release has at most {FILES_AT_MOST:,} files: archive only the built site.",
    )


def checked_entries(archive: ZipFile, stream: BinaryIO, source: Path) -> dict[str, ZipInfo]:
    """Return the files to unpack, by name. Raises Refused, BadZipFile."""
    files = [info for info in archive.infolist() if not _is_folder(info)]
    taken = {info.orig_filename: info for info in files if not is_skipped(info.orig_filename)}
    if len({info.orig_filename for info in files}) != len(files):
        raise _odd_archive(source, "contains two files of the same name")
    unpacked = sum(info.file_size for info in taken.values())
    check_size(files=len(taken), size=unpacked)
    if unpacked > max(RATIO_BYTES, RATIO_AT_MOST * source.stat().st_size):
        raise _odd_archive(source, f"unpacks to more than {RATIO_AT_MOST} times its size")
    _check_apart(archive, stream)
    return taken


def _is_folder(info: ZipInfo) -> bool:
    """Check one entry. Return whether it is a folder. Raises Refused."""
    # orig_filename is the name in the archive: zipfile cuts `filename` at a NUL.
    name = info.orig_filename
    check_name(name)
    mode = info.external_attr >> 16
    special = stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}
    if special or info.external_attr & DOS_LINK:
        raise _odd_entry(name, "is a link or another special file", "Archive the file itself.")
    segments = name.removesuffix("/").split("/")
    if not {"", ".", ".."}.isdisjoint(segments) or re.match("[A-Za-z]:", name):
        raise _odd_entry(
            name, "leads out of the archive", "Archive the folder's content with relative paths."
        )
    if info.flag_bits & ENCRYPTED_FLAGS:
        raise _odd_entry(name, "is encrypted", "Archive without a password.")
    if info.compress_type not in METHODS:
        raise _odd_entry(
            name, "uses an unsupported compression method", "Use deflate, zip's default."
        )
    return name.endswith("/")


def _check_apart(archive: ZipFile, stream: BinaryIO) -> None:
    """Refuse entries that share bytes, which lets a small archive contain many large files.

    Reads the local headers, because only their extra fields show where a file's bytes begin.
    """
    entries = sorted(archive.infolist(), key=lambda info: info.header_offset)
    ends = [_end_of(info, stream) for info in entries]
    starts = [*(info.header_offset for info in entries), archive.start_dir]
    for end, start in zip(ends, starts[1:], strict=True):
        if end > start:
            raise BadZipFile("files overlap")


def _end_of(info: ZipInfo, stream: BinaryIO) -> int:
    stream.seek(info.header_offset)
    header = stream.read(LOCAL_HEADER.size)
    if len(header) != LOCAL_HEADER.size or not header.startswith(LOCAL_SIGNATURE):
        raise BadZipFile(f"{info.orig_filename!r} is not at its declared position")
    _, name, extra = LOCAL_HEADER.unpack(header)
    return info.header_offset + LOCAL_HEADER.size + int(name) + int(extra) + info.compress_size


def _odd_archive(source: Path, fault: str) -> Refused:
    return Refused(
        "archive-refused",
        f"--source {source} {fault}.",
        "Push the folder itself instead of the archive.",
    )


def _odd_entry(name: str, fault: str, hint: str) -> Refused:
    return Refused("archive-refused", f"The archive's entry {name!r} {fault}.", hint)
