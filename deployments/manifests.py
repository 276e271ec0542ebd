"""Manifests: the canonical list of a release's artifacts, and what differs between two."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from deployments.artifacts import MANIFEST, Artifact, page_path
from deployments.errors import Refused


@dataclass(frozen=True)
class Manifest:
    """Artifacts in the order of their paths."""

    artifacts: tuple[Artifact, ...]

    @classmethod
    def of(cls, artifacts: Iterable[Artifact]) -> "Manifest":
        """Make a manifest. Raises Refused for a path twice, or for the manifest's own name."""
        ordered = tuple(sorted(artifacts))
        paths = [artifact.path for artifact in ordered]
        if MANIFEST in paths:
            raise Refused(
                "manifest-name-taken",
                f"A file is called {MANIFEST}, the name of the release's own manifest.",
                "Rename it, for example to site.webmanifest, and push again.",
            )
        if len(set(paths)) != len(paths):
            raise Refused("path-twice", "Two files of the release have the same path.")
        return cls(ordered)

    @classmethod
    def from_json(cls, body: bytes) -> "Manifest":
        """Read `manifest.json`. Raises ValueError or KeyError when it is not one."""
        try:
            return cls(tuple(Artifact.from_row(row) for row in json.loads(body)))
        except TypeError as error:  # JSON of another shape, such as a web app's manifest
            raise ValueError("it is no list of artifacts") from error

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
        """Name a release made now (UTC) of these artifacts."""
        return f"{now:%Y%m%d-%H%M%S}-{self.digest[:8]}"

    def pages(self, surfaces: dict[str, str]) -> dict[str, dict[str, object]]:
        """Find the page of each surface (name -> URL path) the release contains."""
        found = {}
        for name, url_path in surfaces.items():
            artifact = self.by_path.get(page_path(url_path))
            if artifact:
                found[name] = {"url": url_path, **artifact.as_row()}
        return found
