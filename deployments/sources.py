"""Files from a folder: what `push --source DIR` takes."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from deployments.artifacts import Artifact, SourceFile, cache_rule_for, content_type_for
from deployments.errors import Refused

# Left by desktops, editors and version control; never part of a site.
SKIPPED_FOLDERS = {".git", ".svn", ".hg", "node_modules", "__pycache__"}
SKIPPED_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}


def read_folder(source: Path) -> list[SourceFile]:
    """Take every file below a folder, hashed.

    Raises Refused for a folder that is missing, unreadable or empty, for links that lead outside
    and for names that no URL can carry.
    """
    if not source.is_dir():
        raise Refused(
            "source-missing",
            f"--source {source} is not a folder.",
            "Give the folder that holds index.html.",
        )
    try:
        files = [source_file(path, source) for path in _walk(source)]
    except OSError as error:
        raise Refused(
            "source-unreadable",
            f"--source {source} cannot be read: {error.strerror}: {error.filename}.",
            "Make it readable for this user and push again.",
        ) from error
    if not files:
        raise Refused(
            "source-empty",
            f"--source {source} holds no files.",
            "Build the site first, or give the folder it was built into.",
        )
    return files


def source_file(path: Path, root: Path) -> SourceFile:
    """Hash one file. Raises Refused, OSError."""
    name = path.relative_to(root).as_posix()
    _check_name(name)
    if not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
        raise Refused(
            "source-not-a-file",
            f"{name} is not a file inside of {root}.",
            "Put the file itself there: no links to folders or out of the tree, no pipes.",
        )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = os.fstat(stream.fileno()).st_size
    return SourceFile(describe(name, digest, size), path)


def from_bytes(name: str, body: bytes) -> SourceFile:
    """Describe a file that is in memory."""
    return SourceFile(describe(name, hashlib.sha256(body).hexdigest(), len(body)), body)


def describe(name: str, sha256: str, size: int) -> Artifact:
    """Make the artifact of a file, with the headers the rules give its name."""
    return Artifact(name, sha256, size, content_type_for(name), cache_rule_for(name))


def _walk(root: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(root, onerror=fail):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        # os.walk does not enter a linked folder; it is named as a file, and so refused.
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in sorted({*names, *linked} - SKIPPED_FILES))


def _check_name(name: str) -> None:
    """Refuse names the edge function would never let through."""
    try:
        name.encode()
    except UnicodeEncodeError:
        ok = False
    else:
        ok = name.isprintable() and "\\" not in name
    if not ok:
        raise Refused(
            "source-name",
            f"{name!r} cannot be the path of a page.",
            "Rename it: UTF-8, no control characters, no backslashes.",
        )
