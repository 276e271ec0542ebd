"""Limits on a source, folder or archive: number of files, size, names."""

from pathlib import PurePosixPath

from deployments.errors import Refused

# Left by desktops, editors, archivers and version control; never part of a site, file or folder:
# in a git work tree `.git` is a file, and `node_modules` may be a link.
SKIPPED = {
    ".git", ".svn", ".hg", "node_modules", "__pycache__", "__MACOSX",
    ".DS_Store", "Thumbs.db", "desktop.ini",
}  # fmt: skip

FILES_AT_MOST = 100_000
BYTES_AT_MOST = 2 * 2**30
# S3 takes keys of 1,024 bytes; the prefix of a release or of an environment comes before the path.
NAME_BYTES = 900
# The folder store's limit between two slashes; it writes three bytes for a `%` or a `~`.
SEGMENT_BYTES = 250


def is_skipped(name: str) -> bool:
    """Whether a path in the source is ignored."""
    return not SKIPPED.isdisjoint(PurePosixPath(name).parts)


def check_name(name: str) -> None:
    """Refuse a name that the edge function would reject. Raises Refused."""
    try:
        ok = name.isprintable() and "\\" not in name and _is_short(name)
    except UnicodeEncodeError:
        ok = False
    if not ok:
        raise Refused(
            "source-name",
            f"{_shown(name)} cannot be a URL path.",
            f"Rename it: UTF-8, no control characters, no backslashes, at most {NAME_BYTES} bytes, "
            f"and {SEGMENT_BYTES} between two slashes, where '%' and '~' count as three.",
        )


def _is_short(name: str) -> bool:
    segments = name.replace("%", "%25").replace("~", "%7E").encode().split(b"/")
    return len(name.encode()) <= NAME_BYTES and max(map(len, segments)) <= SEGMENT_BYTES


def check_size(*, files: int, size: int) -> None:
    """Refuse more files or bytes than a release may have. Raises Refused."""
    if files > FILES_AT_MOST:
        raise Refused(
            "source-too-many",
            f"The source has more than {FILES_AT_MOST:,} files.",
            "Point --source at the folder that the site was built into, not at its source code.",
        )
    if size > BYTES_AT_MOST:
        raise Refused(
            "source-too-large",
            f"The source is larger than {BYTES_AT_MOST // 2**30} GiB.",
            "Host large media elsewhere and push only the site.",
        )


def _shown(name: str) -> str:
    return repr(name if len(name) <= NAME_BYTES else f"{name[:60]}...")
