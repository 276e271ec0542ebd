"""Releases in the object store: reading manifests, listing and checking objects."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.manifest import MANIFEST, Artifact, Manifest
from edge.errors import ObjectMissing
from edge.protocols import ObjectInfo, ObjectStore

IN_FLIGHT = 32  # requests at a time, one thread each: threads that wait for the network
T = TypeVar("T")
R = TypeVar("R")


def concurrently(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the results of `work` in the order of the items; the first error cancels the rest."""
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        return list(pool.map(work, items))


def read_manifest(objects: ObjectStore, release: Release) -> Manifest:
    """Read a release's manifest. Raises Refused (`objects-gone`)."""
    return read_named_manifest(objects, release.name, release.digest)


def read_named_manifest(objects: ObjectStore, name: str, digest: str = "") -> Manifest:
    """Read a manifest by the release's name and check its digest.

    Without `digest`, checks the eight digits that end the name. Raises Refused (`objects-gone`).
    """
    key = f"releases/{name}/{MANIFEST}"
    try:
        body = objects.get(key).body
    except ObjectMissing as error:
        raise objects_gone(name, f"{key} is missing") from error
    # A manifest is stored in canonical form, so the digest of its bytes is the manifest's digest.
    if not hashlib.sha256(body).hexdigest().startswith(digest or name[-8:]):
        raise objects_gone(name, f"{key} is not what was pushed")
    return Manifest.from_json(body)


def find_manifest(objects: ObjectStore, release: Release) -> Manifest | None:
    """Read a release's manifest; None if it is missing or damaged."""
    try:
        return read_manifest(objects, release)
    except Refused:
        return None


def object_sizes(objects: ObjectStore, prefix: str) -> dict[str, int]:
    """List the objects below a prefix: sizes in bytes by key."""
    return {one.key: one.size for one in objects.list(prefix)}


def holds(info: ObjectInfo | None, artifact: Artifact, release: Release | None = None) -> bool:
    """Whether an object is the artifact: its content and, for a document, its headers.

    With `release`, the object must carry that release's name. An object written by other means has
    another digest in its metadata, or none. A shared asset keeps the headers of its first push.
    """
    if info is None or (info.size, info.metadata.get("sha256")) != (artifact.size, artifact.sha256):
        return False
    if release and info.metadata.get("release") != release.name:
        return False
    headers = (info.content_type, info.cache_control)
    return artifact.shared or headers == (artifact.content_type, artifact.cache_control)


def is_as_pushed(objects: ObjectStore, release: Release, document: Artifact) -> bool:
    """Whether a document of a release is stored as it was pushed."""
    return holds(objects.head(document.key(release.name)), document, release)


def is_whole(objects: ObjectStore, release: Release) -> bool:
    """Whether a release was completed and passes `check_whole`."""
    return bool(release.completed_at) and not _fault(objects, release)


def check_whole(objects: ObjectStore, release: Release) -> None:
    """Refuse a release whose objects are gone. Raises Refused.

    Checks the manifest and the surfaces' pages only, so the work does not grow with the release.
    The manifest was written once every file was stored, and is always removed before them.
    """
    if release.removed_at:
        raise release.gone
    if fault := _fault(objects, release):
        raise objects_gone(release, fault)


def _fault(objects: ObjectStore, release: Release) -> str:
    """Return what is wrong with a release's manifest or pages, or an empty string."""
    pages = {
        page.key(release.name): page for page in map(Artifact.from_row, release.pages.values())
    }
    keys = [release.key(MANIFEST), *pages]
    for key, info in zip(keys, concurrently(objects.head, keys), strict=True):
        if info is None:
            return f"{key} is missing"
        page = pages.get(key)
        right = (
            holds(info, page, release) if page else info.metadata.get("sha256") == release.digest
        )
        if not right:
            return f"{key} is not what was pushed"
    return ""


def objects_gone(release: Release | str, fault: str) -> Refused:
    """Return the error for a release that can no longer be deployed."""
    return Refused(
        "objects-gone",
        f"Release {release} is incomplete: {fault}.",
        "Push its content again, or choose another release: manage.py releases",
    )
