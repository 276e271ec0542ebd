"""The files of a source: what `push --source` takes, a folder or a ZIP archive."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.errors import Refused
from deployments.releases.manifest import CHECKS, SourceFile, describe
from deployments.releases.smoke_checks import parse_checks
from deployments.sources.archive import unpacked
from deployments.sources.digests import Digest
from deployments.sources.hashers import hashing
from deployments.sources.headers import HEADERS, parse_rules, with_rules
from deployments.sources.limits import SKIPPED, check_name, check_size


@contextmanager
def opened_source(source: Path) -> Iterator[Iterable[SourceFile]]:
    """Take the files of a folder or a ZIP archive; they can be read while the block runs.

    A folder's files are hashed meanwhile: to go through them, once, is to wait for that.

    Raises Refused for a source that is missing, unreadable, empty or too large, for links that lead
    outside, for names that no URL can carry, and as `archives.unpacked` does; going through the
    files raises it for one that cannot be read and for a `_headers` or `checks.json` that is wrong.
    """
    try:
        is_file = source.is_file()
        found = [] if is_file else _found(source)
    except OSError as error:  # a folder above it is closed to us, or its name is too long
        raise _unreadable(source, error) from error
    if is_file:
        with unpacked(source) as files:
            yield _finished(files, source)
    else:
        with hashing([path for _, path in found]) as digests:
            yield _described(found, digests, source)


def _described(
    found: Iterable[tuple[str, str]], digests: Callable[[], list[Digest]], source: Path
) -> Iterator[SourceFile]:
    """Describe a folder's files once they are hashed. Raises Refused."""
    try:
        files = [
            SourceFile(describe(name, sha256, size), Path(path))
            for (name, path), (sha256, size) in zip(found, digests(), strict=True)
        ]
        files = _finished(files, source)
    except OSError as error:
        raise _unreadable(source, error) from error
    yield from files


def _finished(files: list[SourceFile], source: Path) -> list[SourceFile]:
    """Apply and check the files that are about the others. Raises Refused, OSError."""
    special = {
        file.artifact.path: file for file in files if file.artifact.path in {HEADERS, CHECKS}
    }
    if CHECKS in special:
        parse_checks(_body(special[CHECKS]))
    if HEADERS in special:
        others = (file for file in files if file is not special[HEADERS])
        files = with_rules(parse_rules(_body(special[HEADERS])), others)
    if not files:
        raise Refused(
            "source-empty",
            f"--source {source} holds no files.",
            "Build the site first, or give the folder it was built into.",
        )
    return files


def _unreadable(source: Path, error: OSError) -> Refused:
    return Refused(
        "source-unreadable",
        f"--source {source} cannot be read: {error.strerror}: {error.filename}.",
        "Make it readable for this user and push again.",
    )


def _body(file: SourceFile) -> bytes:
    return file.body if isinstance(file.body, bytes) else file.body.read_bytes()


def _found(root: Path) -> list[tuple[str, str]]:
    """Find all files and their paths, in the order of their names, before any is read.

    Raises Refused, OSError.
    """
    if not root.is_dir():
        raise Refused(
            "source-missing",
            f"--source {root} is neither a folder nor a ZIP archive.",
            "Give the folder that holds index.html, or an archive of it.",
        )
    found, size = [], 0
    for entry, name in _walk(str(root), ""):
        check_name(name)
        if not entry.is_file() or (entry.is_symlink() and _leads_out(entry, root)):
            raise Refused(
                "source-not-a-file",
                f"{name} is not a file inside of {root}.",
                "Put the file itself there: no links to folders or out of the tree, no pipes.",
            )
        size += entry.stat().st_size
        found.append((name, entry.path))
        check_size(files=len(found), size=size)
    return found


def _walk(folder: str, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Find what is below a folder, with its name in the release; no linked folder is entered."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        name = prefix + entry.name
        if entry.name in SKIPPED:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{name}/")
        else:
            yield entry, name


def _leads_out(entry: os.DirEntry[str], root: Path) -> bool:
    return not Path(entry.path).resolve().is_relative_to(root.resolve())
