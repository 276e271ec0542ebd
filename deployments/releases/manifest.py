"""Artifacts: the files of a release, where they are stored and how they are cached."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from mimetypes import MimeTypes
from pathlib import Path
from posixpath import splitext
from typing import Any

from deployments.errors import Refused
from edge.sites import Site

ASSETS = "assets/"
MANIFEST = "manifest.json"
CHECKS = "checks.json"
SITE = "_site.json"
ERROR_PAGE = "404.html"

# For viewers and the caches beyond the edge. Content-hashed names never change their content; a
# document's address outlives its release, so every cache asks again. How long the edge itself keeps
# a document, whose key carries the release, is up to the edge (edge/behaviours.py).
ASSET_CACHE = "public, max-age=31536000, immutable"
DOCUMENT_CACHE = "public, max-age=0, must-revalidate"

# Missing from the standard library's table, or different there.
CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".ics": "text/calendar",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
WITH_CHARSET = ("text/", "application/json", "application/manifest+json", "application/xml")


@dataclass(frozen=True, slots=True, order=True)
class Artifact:
    """One file of a release: path, content by SHA-256 (hex) and size in bytes, and its headers.

    `stored_as` is the key of an asset outside `assets/` that all releases share.
    """

    path: str
    sha256: str
    size: int
    content_type: str
    cache_control: str
    stored_as: str = ""

    @property
    def shared_key(self) -> str:
        """The key of the object that all releases share, or "" if each has its own."""
        is_asset = self.path.startswith(ASSETS) and self.cache_control == ASSET_CACHE
        return self.stored_as or (self.path if is_asset else "")

    @property
    def shared(self) -> bool:
        """Whether all releases share one object."""
        return bool(self.shared_key)

    def key(self, release: str) -> str:
        """Return the key of the object that holds the artifact."""
        return self.shared_key or f"releases/{release}/{self.path}"

    def as_row(self) -> dict[str, Any]:
        """Return the manifest's row."""
        row = {
            "cache": self.cache_control,
            "path": self.path,
            "sha256": self.sha256,
            "size": self.size,
            "type": self.content_type,
        }
        return row | ({"key": self.stored_as} if self.stored_as else {})

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Artifact":
        """Read the manifest's row. Raises KeyError."""
        rest = row["type"], row["cache"], row.get("key", "")
        return cls(row["path"], row["sha256"], row["size"], *rest)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An artifact and its content: bytes in memory or a file."""

    artifact: Artifact
    body: bytes | Path


def describe(path: str, sha256: str, size: int) -> Artifact:
    """Return the artifact of a file, with the headers for its path."""
    return laid_out(Artifact(path, sha256, size, content_type_for(path), DOCUMENT_CACHE), Site())


def laid_out(artifact: Artifact, site: Site) -> Artifact:
    """Return an artifact stored and cached as a site's layout says: shared, or in its release."""
    if site.shares(f"/{artifact.path}"):
        is_asset = artifact.path.startswith(ASSETS)
        stored_as = "" if is_asset else ASSETS + artifact.path
        return replace(artifact, cache_control=ASSET_CACHE, stored_as=stored_as)
    return artifact


def content_type_for(path: str) -> str:
    """Return the Content-Type for a path, by its extension."""
    return _type_of(splitext(path)[1].lower())


@cache
def _type_of(extension: str) -> str:
    # Our own table: the module's also reads /etc/mime.types, so the same files pushed from two
    # machines would be two releases.
    guessed = CONTENT_TYPES.get(extension) or MimeTypes().guess_type(f"a{extension}")[0]
    found = guessed or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith(WITH_CHARSET) else found


def page_path(url_path: str) -> str:
    """Return the path of a page's artifact: `book/index.html` for `/book/`."""
    return f"{url_path.strip('/')}/index.html".lstrip("/")


@dataclass(frozen=True)
class Manifest:
    """The artifacts of a release, ordered by path."""

    artifacts: tuple[Artifact, ...]

    @classmethod
    def of(cls, artifacts: Iterable[Artifact]) -> "Manifest":
        """Make a manifest. Raises Refused for a duplicate path or the manifest's own name."""
        ordered = tuple(sorted(artifacts))
        paths = [artifact.path for artifact in ordered]
        if MANIFEST in paths:
            raise Refused(
                "manifest-name-taken",
                f"A file is called {MANIFEST}, the name reserved for the release's manifest.",
                "Rename it, for example to site.webmanifest, and push again.",
            )
        if len(set(paths)) != len(paths):
            raise Refused("path-twice", "Two files of the release have the same path.")
        return cls(ordered)

    @classmethod
    def from_json(cls, body: bytes) -> "Manifest":
        """Read `manifest.json`. Raises ValueError or KeyError if it is not one."""
        try:
            return cls(tuple(Artifact.from_row(row) for row in json.loads(body)))
        except TypeError as error:  # JSON of another shape, such as a web app's manifest
            raise ValueError("not a list of artifacts") from error

    @cached_property
    def body(self) -> bytes:
        """The canonical bytes: same artifacts, same bytes."""
        rows = [artifact.as_row() for artifact in self.artifacts]
        return json.dumps(rows, separators=(",", ":"), sort_keys=True).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hex."""
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def by_path(self) -> dict[str, Artifact]:
        return {artifact.path: artifact for artifact in self.artifacts}

    @property
    def total_bytes(self) -> int:
        return sum(artifact.size for artifact in self.artifacts)

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self.artifacts)

    def __len__(self) -> int:
        return len(self.artifacts)

    def release_name(self, now: datetime) -> str:
        """Return the name of a release made of these artifacts at `now` (UTC)."""
        return f"{now:%Y%m%d-%H%M%S}-{self.digest[:8]}"

    def pages(self, surfaces: dict[str, str]) -> dict[str, dict[str, object]]:
        """Return the rows of the surfaces' pages that exist. `surfaces` maps names to URL paths."""
        found = {}
        for name, url_path in surfaces.items():
            artifact = self.by_path.get(page_path(url_path))
            if artifact:
                found[name] = {"url": url_path, **artifact.as_row()}
        return found


def from_bytes(name: str, body: bytes) -> SourceFile:
    """Return a file whose content is in memory."""
    return SourceFile(describe(name, hashlib.sha256(body).hexdigest(), len(body)), body)
