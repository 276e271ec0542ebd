"""The history that a store's audit objects hold together, and what is wrong with it. Reads only.

A release without a usable audit object is read from its manifest, which lacks its author and
message.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deployments import audit
from deployments.audit import (
    Damaged,
    DeploymentRecord,
    ReleaseRecord,
    read_deployment,
    read_function,
    read_release,
)
from deployments.errors import Refused
from deployments.releases.manifest import MANIFEST
from deployments.releases.store import concurrently, read_named_manifest
from deployments.releases.upload_plan import surface_urls
from edge.protocols import ObjectStore

_RELEASE = re.compile(r"^audit/releases/(?P<name>[^/]+)\.json$")
_FUNCTION = re.compile(r"^audit/functions/(?P<name>[0-9a-f]{64})\.js$")
_DEPLOYMENT = re.compile(r"^audit/(?P<name>[^/]+)\.json$")


@dataclass(slots=True)
class Trail:
    """What can be restored, and what is wrong with the rest.

    `releases` by name, `functions` (sources) by digest, `deployments` in the order of time, `whole`
    the names of the releases that have a manifest, `damaged` faults by key.
    """

    releases: dict[str, ReleaseRecord] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    deployments: list[DeploymentRecord] = field(default_factory=list)
    whole: frozenset[str] = frozenset()
    damaged: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.releases or self.functions or self.deployments or self.damaged)


def read_trail(objects: ObjectStore) -> Trail:
    """Read all audit objects, and check which releases still exist. Raises EdgeError."""
    trail = _read_all(objects)
    _add_from_manifests(objects, trail)
    complete = [one for one in trail.deployments if _is_complete(trail, one)]
    trail.deployments = sorted(complete, key=lambda one: (one.at, one.number))
    present = [one.name for one in trail.releases.values() if one.removed_at is None]
    heads = concurrently(lambda name: objects.head(_manifest_key(name)), present)
    trail.whole = frozenset(name for name, head in zip(present, heads, strict=True) if head)
    return trail


def _read_all(objects: ObjectStore) -> Trail:
    trail = Trail()
    keys = [one.key for one in objects.list(audit.PREFIX)]
    bodies = concurrently(lambda key: objects.get(key).body, keys)
    for key, body in zip(keys, bodies, strict=True):
        try:
            _sort_in(trail, key, body)
        except Damaged as damage:
            trail.damaged[key] = str(damage)
    return trail


def _sort_in(trail: Trail, key: str, body: bytes) -> None:
    """Read one object into the trail. Raises Damaged."""
    if found := _RELEASE.match(key):
        release = read_release(body)
        if release.name != found["name"]:
            raise Damaged(f"it is about {release.name}")
        trail.releases[release.name] = release
    elif found := _FUNCTION.match(key):
        trail.functions[found["name"]] = read_function(body, found["name"])
    elif _DEPLOYMENT.match(key):
        trail.deployments.append(read_deployment(body))
    else:
        raise Damaged("no audit object has such a name")


def _add_from_manifests(objects: ObjectStore, trail: Trail) -> None:
    """Add the releases without a usable audit object, from their manifests.

    Their names are in deployments and in the keys of damaged audit objects.
    """
    named = {one.release for one in trail.deployments}
    named |= {one.previous for one in trail.deployments if one.previous}
    named |= {found["name"] for key in trail.damaged if (found := _RELEASE.match(key))}
    for name in sorted(named - trail.releases.keys()):
        try:
            trail.releases[name] = _from_manifest(objects, name)
        except Damaged as error:
            trail.damaged.setdefault(audit.release_key(name), f"missing, and {error}")


def _from_manifest(objects: ObjectStore, name: str) -> ReleaseRecord:
    """Read a release from its manifest. Raises Damaged."""
    try:
        manifest = read_named_manifest(objects, name)
        created_at = datetime.strptime(name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except Refused as refused:
        raise Damaged(refused.message.rstrip(".")) from refused
    except (ValueError, KeyError) as error:
        raise Damaged(f"{_manifest_key(name)} is not the manifest of a release") from error
    return ReleaseRecord(
        name=name,
        digest=manifest.digest,
        files=len(manifest),
        bytes=manifest.total_bytes,
        pages=manifest.pages(surface_urls()),
        message="",
        created_at=created_at,
        created_by="",
    )


def _is_complete(trail: Trail, one: DeploymentRecord) -> bool:
    """Whether the release and function of a deployment are known; if not, record the damage."""
    missing = [] if one.release in trail.releases else [audit.release_key(one.release)]
    if one.function not in trail.functions:
        missing.append(audit.function_key(one.function))
    if missing:
        trail.damaged[f"deployment {one.number}"] = f"missing: {', '.join(missing)}"
    return not missing


def _manifest_key(name: str) -> str:
    return f"releases/{name}/{MANIFEST}"
