"""What the object store has of the releases: manifests, and objects by listing."""

from deployments.artifacts import MANIFEST, Artifact
from deployments.manifests import Manifest
from deployments.models import Release
from edge.protocols import ObjectStore


def read_manifest(objects: ObjectStore, release: Release) -> Manifest:
    """Read a release's manifest. Raises ObjectMissing."""
    return Manifest.from_json(objects.get(release.key(MANIFEST)).body)


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
