"""What a ZIP archive may list. Nothing is unpacked here; local headers alone are looked at.

The format is PKWARE's APPNOTE.TXT: 4.3.7 local header, 4.4.4 flags, 4.4.5 methods. What attacks
look like: D. Fifield, "A better zip bomb" (overlapping files); "zip slip" (names that lead out).
"""

import re
import stat
import struct
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from deployments.errors import Refused
from deployments.sources.rules import check_name, check_size, is_skipped

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
