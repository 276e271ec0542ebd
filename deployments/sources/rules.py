"""What a source may hold, folder or archive: how many files, how large, under which names."""

from pathlib import PurePosixPath

from deployments.errors import Refused

# Left by desktops, editors, archivers and version control; never part of a site.
SKIPPED_FOLDERS = {".git", ".svn", ".hg", "node_modules", "__pycache__", "__MACOSX"}
SKIPPED_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}

FILES_AT_MOST = 100_000
BYTES_AT_MOST = 2 * 2**30
# S3 takes keys of 1,024 bytes; the prefix of a release or of an environment comes before the path.
NAME_BYTES = 900


def is_skipped(name: str) -> bool:
    """Whether a path within the source is left out."""
    path = PurePosixPath(name)
    return path.name in SKIPPED_FILES or not SKIPPED_FOLDERS.isdisjoint(path.parts[:-1])


def check_name(name: str) -> None:
    """Refuse names the edge function would never let through."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        ok = False
    else:
        ok = name.isprintable() and "\\" not in name and size <= NAME_BYTES
    if not ok:
        raise Refused(
            "source-name",
            f"{_shown(name)} cannot be the path of a page.",
            f"Rename it: UTF-8, no control characters, no backslashes, at most {NAME_BYTES} bytes.",
        )


def check_size(*, files: int, size: int) -> None:
    """Refuse more files, or more bytes, than a release may have."""
    if files > FILES_AT_MOST:
        raise Refused(
            "source-too-many",
            f"The source holds more than {FILES_AT_MOST:,} files.",
            "Give the folder the site was built into, not the one it is built from.",
        )
    if size > BYTES_AT_MOST:
        raise Refused(
            "source-too-large",
            f"The source holds more than {BYTES_AT_MOST // 2**30} GiB.",
            "Keep large media elsewhere, and push the site alone.",
        )


def _shown(name: str) -> str:
    return repr(name if len(name) <= NAME_BYTES else f"{name[:60]}...")
