"""Media files in a backup, from any storage. Their names are never used twice."""

from collections.abc import Iterator
from typing import Any

from django.core.files.storage import Storage, default_storage

from qdn.backup import contents

Row = dict[str, Any]
# By name: size, time of the last change, SHA-256.
Known = dict[str, tuple[int, str, str]]


def known_files(rows: Iterator[Row]) -> Known:
    """Return what an earlier backup knows, so that unchanged files need not be read."""
    return {row["name"]: (row["size"], row["modified"], row["sha256"]) for row in rows}


def media_names(folder: str = "") -> Iterator[str]:
    """Iterate over the names of all media files."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # the folder of media is made with the first file
        return
    prefix = f"{folder}/" if folder else ""
    yield from (prefix + name for name in sorted(files))
    for name in sorted(folders):
        yield from media_names(prefix + name)


def back_up_media(target: Storage, known: Known) -> Iterator[tuple[Row, bool]]:
    """Store the contents of all media. Yield a row of each, and whether its content is new."""
    for name in media_names():
        size = default_storage.size(name)
        modified = default_storage.get_modified_time(name).isoformat()
        before_size, before, sha256 = known.get(name, (0, "", ""))
        is_new = False
        if (size, modified) != (before_size, before) or not contents.has(target, sha256, size):
            with default_storage.open(name) as file:
                sha256, is_new = contents.keep(target, file)
        yield {"name": name, "sha256": sha256, "size": size, "modified": modified}, is_new


def lost_media(rows: Iterator[Row]) -> Iterator[Row]:
    """Iterate over the rows whose file is gone."""
    return (row for row in rows if not default_storage.exists(row["name"]))


def restore_media(target: Storage, lost: Iterator[Row]) -> int:
    """Write lost media files, and return how many."""
    written = 0
    for row in lost:
        with target.open(contents.path_of(row["sha256"])) as file:
            default_storage.save(row["name"], file)
        written += 1
    return written
