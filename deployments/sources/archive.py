"""Files from a ZIP archive: what `push --source ZIP` takes.

An archive may come from anywhere, so nothing in it is believed: its list of files is checked whole
before anything is unpacked, and unpacking counts. Files are unpacked under numbers, never under
their names, so no name can lead anywhere, whatever a check overlooks.
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
from deployments.sources.limits import FILES_AT_MOST, check_name, check_size, is_skipped

# Folders and what is left out are listed in an archive too.
ENTRIES_AT_MOST = 2 * FILES_AT_MOST
DIRECTORY_BYTES = 32 * 2**20
CHUNK_BYTES = 2**18
# Making a file costs more than unpacking a small one.
SMALL_BYTES, KEPT_BYTES = 32 * 2**10, 32 * 2**20
# What zipfile and zlib raise for archives that are not whole, or are not made as they say.
_BROKEN = (BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error)
SIGNATURE = b"PK\x01\x02"  # every entry of the list begins with it
LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, length of the name, length of the extra field
LOCAL_SIGNATURE = b"PK\x03\x04"
ENCRYPTED_FLAGS = 0x2041  # 0 encrypted, 6 strong encryption, 13 masked headers
DOS_LINK = 0x400  # the reparse point of Windows' attributes
# The others (bzip2, LZMA) pack a thousand times tighter, and LZMA takes as much memory as it likes.
METHODS = {ZIP_STORED, ZIP_DEFLATED}

# What holds less is no bomb, however well it is packed; a built site packs three to ten times.
RATIO_BYTES = 100 * 2**20
RATIO_AT_MOST = 100


@contextmanager
def unpacked(source: Path) -> Iterator[list[SourceFile]]:
    """Unpack an archive, hashed, into a folder that goes away when the block ends.

    Raises Refused for an archive that is broken, encrypted, too large, or holds anything but files
    under names of their own (deployments/sources/archive.py).
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


def checked_entries(archive: ZipFile, stream: BinaryIO, source: Path) -> dict[str, ZipInfo]:
    """List the files to take, by name. Raises Refused, BadZipFile."""
    files = [info for info in archive.infolist() if not _is_folder(info)]
    taken = {info.orig_filename: info for info in files if not is_skipped(info.orig_filename)}
    if len({info.orig_filename for info in files}) != len(files):
        raise _odd_archive(source, "holds two files of the same name")
    unpacked = sum(info.file_size for info in taken.values())
    check_size(files=len(taken), size=unpacked)
    if unpacked > max(RATIO_BYTES, RATIO_AT_MOST * source.stat().st_size):
        raise _odd_archive(source, f"unpacks to more than {RATIO_AT_MOST} times its size")
    _check_apart(archive, stream)
    return taken


def _is_folder(info: ZipInfo) -> bool:
    """Check one entry; tell whether it is a folder. Raises Refused."""
    # orig_filename is what stands in the archive: zipfile cuts `filename` at a NUL.
    name = info.orig_filename
    check_name(name)
    mode = info.external_attr >> 16
    special = stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}
    if special or info.external_attr & DOS_LINK:
        raise _odd_entry(name, "is a link or another special file", "Put the file itself there.")
    segments = name.removesuffix("/").split("/")
    if not {"", ".", ".."}.isdisjoint(segments) or re.match("[A-Za-z]:", name):
        raise _odd_entry(
            name, "leads out of the archive", "Archive the folder's content by relative paths."
        )
    if info.flag_bits & ENCRYPTED_FLAGS:
        raise _odd_entry(name, "is encrypted", "Archive without a password.")
    if info.compress_type not in METHODS:
        raise _odd_entry(name, "is packed by an unusual method", "Use deflate, as zip does.")
    return name.endswith("/")


def _check_apart(archive: ZipFile, stream: BinaryIO) -> None:
    """Refuse entries that share bytes: a few bytes would count as many files.

    Local headers are read, because their extra fields alone say where a file's bytes begin.
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
        raise BadZipFile(f"{info.orig_filename!r} is not where it is said to be")
    _, name, extra = LOCAL_HEADER.unpack(header)
    return info.header_offset + LOCAL_HEADER.size + int(name) + int(extra) + info.compress_size


def _odd_archive(source: Path, fault: str) -> Refused:
    return Refused(
        "archive-refused",
        f"--source {source} {fault}.",
        "Give the folder that was archived instead.",
    )


def _odd_entry(name: str, fault: str, hint: str) -> Refused:
    return Refused("archive-refused", f"The archive's entry {name!r} {fault}.", hint)
