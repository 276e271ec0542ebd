"""Comparing two releases file by file, by their manifests.

Compares what viewers receive: content and headers. The edge function is not part of a release.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings

from deployments.errors import Refused
from deployments.models import Environment, Release
from deployments.releases.manifest import ASSETS, Artifact, Manifest
from deployments.releases.store import read_manifest
from deployments.wording import plural
from edge.protocols import ObjectStore

NOTHING = Manifest(())


class Change(StrEnum):
    """How a path differs."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    HEADERS = "headers"


@dataclass(frozen=True, slots=True)
class Difference:
    """One path that differs; `before` or `after` is None if it does not exist."""

    path: str
    before: Artifact | None
    after: Artifact | None

    @property
    def change(self) -> Change:
        if self.before is None:
            return Change.ADDED
        if self.after is None:
            return Change.REMOVED
        return Change.CHANGED if self.before.sha256 != self.after.sha256 else Change.HEADERS

    @property
    def sizes(self) -> tuple[int | None, int | None]:
        """Bytes before and after."""
        return (self.before.size if self.before else None, self.after.size if self.after else None)


@dataclass(frozen=True, slots=True)
class Diff:
    """The differences between two manifests, ordered by path. Bytes are totals."""

    differences: tuple[Difference, ...]
    bytes_before: int
    bytes_after: int

    def __bool__(self) -> bool:
        return bool(self.differences)

    def count(self, change: Change) -> int:
        return sum(one.change == change for one in self.differences)

    @property
    def counts(self) -> dict[str, int]:
        """The number of files by change: added, changed, removed, headers."""
        return {change.value: self.count(change) for change in Change}

    @property
    def surfaces(self) -> list[str]:
        """The surfaces with a document that differs."""
        touched = {surface_of(one.path) for one in self.differences}
        return [name for name in settings.SURFACES if name in touched]

    def lines(self) -> list[str]:
        """Describe the differences for people, in one or two lines."""
        if not self:
            return ["No file differs"]
        text = _counted(self.counts)
        delta = f"{self.bytes_after - self.bytes_before:+,} bytes"
        headers = self.count(Change.HEADERS)
        lines = [f"{text}, {delta}" if text else delta]
        if headers:
            lines[0] += f"; headers of {plural(headers, 'file')} change"
        return lines + ([f"Surfaces: {', '.join(self.surfaces)}"] if self.surfaces else [])

    def as_json(self) -> dict[str, Any]:
        """Return counts, bytes and every path, for --json."""
        return {
            **self.counts,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "surfaces": self.surfaces,
            "files": [
                {
                    "path": one.path,
                    "change": one.change.value,
                    "bytes_before": one.sizes[0],
                    "bytes_after": one.sizes[1],
                }
                for one in self.differences
            ],
        }


def compare_manifests(one: Manifest, other: Manifest) -> Diff:
    """Return the differences if `other` replaces `one`."""
    paths = sorted(one.by_path.keys() | other.by_path.keys())
    pairs = (Difference(path, one.by_path.get(path), other.by_path.get(path)) for path in paths)
    return Diff(
        tuple(pair for pair in pairs if pair.before != pair.after),
        one.total_bytes,
        other.total_bytes,
    )


def diff_releases(objects: ObjectStore, one: Release | None, other: Release) -> Diff:
    """Return the differences if `other` replaces `one`; None is an empty release.

    Raises Refused (`objects-gone`) if a manifest is missing or damaged.
    """
    before = read_manifest(objects, one) if one else NOTHING
    return compare_manifests(before, read_manifest(objects, other))


def release_or_live(name: str) -> Release:
    """Return the live release of that environment, or the release of that commit or name.

    A commit may be shortened to its first seven digits or more; its newest release is returned.
    Raises Refused.
    """
    environment = Environment.objects.filter(name=name).first()
    if environment is None:
        return _of_commit(name) or Release.objects.named(name)
    if environment.live is None:
        raise Refused(
            "nothing-live",
            f"{environment} serves no release yet.",
            f"Name a release (manage.py releases), or run: manage.py push --to {environment}",
        )
    return environment.live.release


def _of_commit(name: str) -> Release | None:
    is_commit = re.fullmatch("[0-9a-f]{7,64}", name)
    found = Release.objects.complete().filter(commit__startswith=name) if is_commit else None
    return found.first() if found is not None else None


def surface_of(path: str) -> str | None:
    """Return the surface a document belongs to: the one with the longest path above it.

    Shared assets belong to no surface.
    """
    if path.startswith(ASSETS):
        return None
    above = [name for name, surface in settings.SURFACES.items() if _lies_below(path, surface)]
    return max(above, key=lambda name: len(settings.SURFACES[name]["path"]), default=None)


def _lies_below(path: str, surface: dict[str, str]) -> bool:
    return f"/{path}".startswith(surface["path"])


def _counted(counts: dict[str, int]) -> str:
    """Return `3 files added, 2 changed`, or an empty string if only headers change."""
    found = [(name, count) for name, count in counts.items() if count and name != Change.HEADERS]
    texts = [f"{count:,} {name}" for name, count in found[1:]]
    return ", ".join([f"{plural(count, 'file')} {name}" for name, count in found[:1]] + texts)
