"""Limits on a source, folder or archive: number of files, size, names."""

import re
from pathlib import PurePosixPath

from deployments.errors import Refused

# Left by desktops, editors, archivers, site generators and version control; never part of a site,
# file or folder: in a git work tree `.git` is a file, and `node_modules` may be a link.
SKIPPED = {
    ".git", ".gitattributes", ".gitignore", ".gitkeep", ".svn", ".hg",
    "node_modules", "__pycache__", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini",
    ".nojekyll", ".buildinfo", ".buildinfo.bak", ".doctrees",
}  # fmt: skip
# RFC 8615 puts public files below this folder at the top.
_HIDDEN = re.compile(r"^\.(?!well-known/)|/\.")
_SECRET_NAMES = {
    "id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk",
}  # fmt: skip
_SECRET_ENDINGS = (".env", ".htpasswd", ".jks", ".kdbx", ".key", ".p12", ".pem", ".pfx")
# In a link, the first two end the path and the third begins an escape.
_RESERVED = re.compile("[?#%]")

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


def check_public(path: str) -> None:
    """Refuse a file that should not be public, or that no link could name. Raises Refused.

    `path` is that of the release: an archive may have a folder around all files.
    """
    if _HIDDEN.search(path):
        raise Refused(
            "source-private",
            f"{path} is hidden, as files with passwords are, and all of a release is public.",
            "Remove it from the source. Of the names that begin with a dot, only .well-known/ at "
            "the top is taken.",
        )
    name = path.rpartition("/")[2].lower()
    if name in _SECRET_NAMES or name.endswith(_SECRET_ENDINGS):
        raise Refused(
            "source-private",
            f"{path} is named like a file with a password or a private key, and all of a release "
            "is public.",
            "Remove it from the source. If it may be public, rename it: a certificate to .crt.",
        )
    if _RESERVED.search(path):
        raise Refused(
            "source-name",
            f"{path!r} contains '?', '#' or '%', which have another meaning in a link.",
            f"Rename it and the links to it, for example to {_RESERVED.sub('-', path)!r}.",
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
