"""Builds of one site that differ in what they say, made from a fixture."""

import hashlib
import re
from pathlib import Path
from zipfile import ZipFile

from edge.sites import Site as Layout

FIXTURES = Path(__file__).resolve().parent / "fixtures"
# What the edge looks at belongs to no release: `push` reads it.
NOT_SERVED = {"_headers", "_redirects", ".buildinfo"}
_TEXT = (".html", ".txt", ".css", ".js", ".json", ".xml")
_CODE = (".css", ".js")
# A hash in a file's name, or the folder that Next.js names after the build.
_HASH = re.compile(r"(?:^|[._-])([\da-f]{8,64}|[\w-]{8})(?=\.)", re.ASCII)
_BUILD = re.compile(r"_next/static/([\w-]{16,32})/", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def archive_of(name: str) -> Path:
    """Return the fixture of a site, as `push --source` takes it."""
    return FIXTURES / f"{name}.zip"


def files_of(name: str) -> dict[str, bytes]:
    """Return the files of a site as the generator wrote them."""
    with ZipFile(archive_of(name)) as archive:
        return {path: archive.read(path) for path in archive.namelist()}


def variant(files: dict[str, bytes], mark: str) -> dict[str, bytes]:
    """Return another build: its pages and its hashed files carry the mark, and other hashes.

    What generators do with a changed source: a changed file gets another name, and so does every
    mention of it. Fonts and pictures stay.
    """
    renamed = {one: _other(one, mark) for one in _hashes(files)}
    mentions = re.compile("|".join(map(re.escape, renamed)) or "(?!)")

    def changed(text: str) -> str:
        return mentions.sub(lambda found: renamed[found[0]], text)

    return {
        changed(path): (changed(body.decode()) + _remark(path, mark)).encode()
        if path.endswith(_TEXT)
        else body
        for path, body in files.items()
    }


def mark_of(body: bytes) -> str:
    """Return the mark of a page, script or stylesheet, or "" of what all builds have."""
    found = re.search(rb"(?:/\*|<!--) build (\w+) (?:\*/|-->)\s*\Z", body)
    return found[1].decode() if found else ""


def write(files: dict[str, bytes], folder: Path) -> Path:
    """Write files to a folder and return it."""
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    return folder


def shared_code(files: dict[str, bytes]) -> list[str]:
    """Return the paths of scripts and stylesheets whose names carry a hash."""
    return [path for path in sorted(files) if path.endswith(_CODE) and Layout().shares(f"/{path}")]


def _hashes(files: dict[str, bytes]) -> set[str]:
    found: set[str] = set()
    for path in shared_code(files):
        build = _BUILD.match(path)
        in_name = _HASH.findall(path.rpartition("/")[2])
        found.update([build[1]] if build else in_name[-1:])
    return found


def _other(old: str, mark: str) -> str:
    digits = _DIGITS[:16] if re.fullmatch(r"[\da-f]+", old) else _DIGITS
    drawn = hashlib.sha512(f"{mark} {old}".encode()).digest()
    # A digit in front: every name stays one that carries a hash.
    return "7" + "".join(digits[one % len(digits)] for one in drawn[: len(old) - 1])


def _remark(path: str, mark: str) -> str:
    if path.endswith(".html"):
        return f"<!-- build {mark} -->"
    return f"/* build {mark} */" if path.endswith(_CODE) else ""
