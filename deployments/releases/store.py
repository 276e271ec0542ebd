"""What the object store has of the releases: manifests, and objects by listing."""

import hashlib

from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.manifest import MANIFEST, Artifact, Manifest
from edge.errors import ObjectMissing
from edge.protocols import ObjectStore


def read_manifest(objects: ObjectStore, release: Release) -> Manifest:
    """Read a release's manifest. Raises ObjectMissing."""
    return Manifest.from_json(objects.get(release.key(MANIFEST)).body)


def read_named(objects: ObjectStore, name: str) -> Manifest:
    """Read the manifest of a release of which the name is known, which ends in its digest.

    Raises ObjectMissing, and ValueError or KeyError when it is not the one that was pushed.
    """
    body = objects.get(f"releases/{name}/{MANIFEST}").body
    if not name.endswith(hashlib.sha256(body).hexdigest()[:8]):
        raise ValueError(f"{name} was pushed with another manifest")
    return Manifest.from_json(body)


def listed(objects: ObjectStore, prefix: str) -> dict[str, int]:
    """List objects: their sizes by key."""
    return {one.key: one.size for one in objects.list(prefix)}


def is_as_pushed(objects: ObjectStore, release: Release, artifact: Artifact) -> bool:
    """Tell whether a document's object has the size, digest, release and headers it was put with.

    What somebody else wrote over it has another digest in its metadata, or none.
    """
    info = objects.head(artifact.key(release.name))
    return info is not None and (
        info.size,
        info.metadata.get("sha256"),
        info.metadata.get("release"),
        info.content_type,
        info.cache_control,
    ) == (
        artifact.size,
        artifact.sha256,
        release.name,
        artifact.content_type,
        artifact.cache_control,
    )


class Manifests:
    """The manifests of releases, each read once. One that is gone or damaged is None."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._read: dict[int, Manifest | None] = {}

    def of(self, release: Release) -> Manifest | None:
        """Read the manifest of a release, unless it was read before."""
        if release.pk not in self._read:
            self._read[release.pk] = self._whole(release)
        return self._read[release.pk]

    def _whole(self, release: Release) -> Manifest | None:
        try:
            body = self._objects.get(release.key(MANIFEST)).body
        except ObjectMissing:
            return None
        # Its bytes are canonical, so their digest is the manifest's.
        is_whole = hashlib.sha256(body).hexdigest() == release.digest
        return Manifest.from_json(body) if is_whole else None


def manifest_of(objects: ObjectStore, release: Release) -> Manifest:
    """Read the manifest that names a release. Raises Refused (`objects-gone`)."""
    try:
        manifest = read_manifest(objects, release)
    except (ObjectMissing, ValueError, KeyError) as error:
        raise objects_gone(release, "its manifest cannot be read") from error
    if manifest.digest != release.digest:
        raise objects_gone(release, "its manifest is not what was pushed")
    return manifest


def check_whole(objects: ObjectStore, release: Release) -> None:
    """Refuse a release whose objects are gone.

    The work does not grow with the release: its manifest and its surfaces' pages are looked at.
    (That every file is there by size was established when the manifest was written, and whatever
    removes objects removes the manifest first.) Raises Refused.
    """
    if release.removed_at:
        raise release.gone
    expected = {MANIFEST: (None, release.digest)}
    expected |= {page["path"]: (page["size"], page["sha256"]) for page in release.pages.values()}
    for path, (size, digest) in expected.items():
        info = objects.head(release.key(path))
        if info is None or size not in {None, info.size} or info.metadata.get("sha256") != digest:
            fault = "missing" if info is None else "not what was pushed"
            raise objects_gone(release, f"{release.key(path)} is {fault}")


def objects_gone(release: Release, fault: str) -> Refused:
    """Tell that a release cannot be deployed any more."""
    return Refused(
        "objects-gone",
        f"Release {release} is no longer whole: {fault}.",
        "Push its content again, or choose another one: manage.py releases",
    )
