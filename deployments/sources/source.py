"""The files of a source: a folder or ZIP archive given to `push --source`."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.errors import Refused
from deployments.releases.manifest import CHECKS, SourceFile, describe
from deployments.releases.smoke_checks import parse_checks
from deployments.sources.archive import unpacked
from deployments.sources.headers import HEADERS, parse_rules, with_rules
from deployments.sources.layout import lay_out
from deployments.sources.limits import SKIPPED, check_name, check_public, check_size
from deployments.sources.redirects import REDIRECTS, parse_redirects
from deployments.sources.site_file import SITE_FILE, parse_site_file

CHUNK_BYTES = 2**18
SPECIAL = {CHECKS, HEADERS, REDIRECTS, SITE_FILE}


@contextmanager
def opened_source(source: Path) -> Iterator[list[SourceFile]]:
    """Hash the files of a folder or ZIP archive; they can be read while the block runs.

    Raises Refused if the source is missing, unreadable, empty or too large, if a link leads out of
    it, if no URL can carry a name, if a file should not be public, if one of its special files is
    invalid, and as `archive.unpacked` does.
    """
    try:
        is_file = source.is_file()
        files = [] if is_file else _as_site(_read_folder(source), source)
    except OSError as error:  # also: its name is too long, or a folder above it is not accessible
        raise _unreadable(source, error) from error
    if is_file:
        with unpacked(source) as unpacked_files:
            yield _as_site(unpacked_files, source)
    else:
        yield files


def _read_folder(source: Path) -> list[SourceFile]:
    """Hash the files of a folder. Raises Refused, OSError."""
    # All names and sizes are checked before the first file is read. No threads: most files are too
    # small to outweigh the cost of handing them over.
    return [_hashed(name, Path(path)) for name, path in _find_files(source)]


def _hashed(name: str, path: Path) -> SourceFile:
    # hashlib.file_digest() clears a large buffer for every file, which takes a quarter longer.
    digest, size = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return SourceFile(describe(name, digest.hexdigest(), size), path)


def _as_site(files: list[SourceFile], source: Path) -> list[SourceFile]:
    """Apply the special files at the top of a source. Raises Refused, OSError."""
    special = {name: file for file in files if (name := file.artifact.path) in SPECIAL}
    if CHECKS in special:
        parse_checks(_body(special[CHECKS]))
    site = special.get(SITE_FILE)
    redirects = special.get(REDIRECTS)
    placed = lay_out(
        (file for file in files if file.artifact.path not in {HEADERS, SITE_FILE, REDIRECTS}),
        parse_site_file(_body(site)) if site else None,
        parse_redirects(_body(redirects)) if redirects else (),
    )
    if HEADERS in special:
        placed = with_rules(parse_rules(_body(special[HEADERS])), placed)
    if not placed:
        raise Refused(
            "source-empty",
            f"--source {source} contains no files.",
            "Build the site first, or point --source at the folder that it was built into.",
        )
    return placed


def _unreadable(source: Path, error: OSError) -> Refused:
    return Refused(
        "source-unreadable",
        f"--source {source} cannot be read: {error.strerror}: {error.filename}.",
        "Make it readable for this user and push again.",
    )


def _body(file: SourceFile) -> bytes:
    return file.body if isinstance(file.body, bytes) else file.body.read_bytes()


def _find_files(root: Path) -> list[tuple[str, str]]:
    """Return the name and path of every file, ordered by name. Raises Refused, OSError."""
    if not root.is_dir():
        raise Refused(
            "source-missing",
            f"--source {root} is neither a folder nor a ZIP archive.",
            "Point --source at the folder that contains index.html, or an archive of it.",
        )
    found, size = [], 0
    for entry, name in _walk(str(root), ""):
        check_name(name)
        check_public(name)
        if not entry.is_file() or (entry.is_symlink() and _leads_out(entry, root)):
            raise Refused(
                "source-not-a-file",
                f"{name} is not a file inside {root}.",
                "Use the file itself: no links to folders or out of the tree, no pipes.",
            )
        size += entry.stat().st_size
        found.append((name, entry.path))
        check_size(files=len(found), size=size)
    return found


def _walk(folder: str, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Return the entries below a folder with their release paths; links are not followed."""
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
