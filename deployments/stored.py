"""What the object store has of the releases: manifests, and objects by listing."""

from deployments.artifacts import MANIFEST
from deployments.manifests import Manifest
from deployments.models import Release
from edge.protocols import ObjectStore


def read_manifest(objects: ObjectStore, release: Release) -> Manifest:
    """Read a release's manifest. Raises ObjectMissing."""
    return Manifest.from_json(objects.get(release.key(MANIFEST)).body)


def listed(objects: ObjectStore, prefix: str) -> dict[str, int]:
    """List objects: their sizes by key."""
    return {one.key: one.size for one in objects.list(prefix)}
