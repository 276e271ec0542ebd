"""All that the audit objects of a bucket tell together, and what of it cannot be used. Reads only.

A release without an audit object of its own is read from its manifest; that lacks who pushed it and
why.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deployments import audit
from deployments.at_once import at_once
from deployments.audit import (
    Damaged,
    DeploymentRecord,
    ReleaseRecord,
    read_deployment,
    read_function,
    read_release,
)
from deployments.releases.manifest import MANIFEST, Manifest
from deployments.releases.upload_plan import surface_urls
from edge.errors import ObjectMissing
from edge.protocols import ObjectStore

_RELEASE = re.compile(r"^audit/releases/(?P<name>[^/]+)\.json$")
_FUNCTION = re.compile(r"^audit/functions/(?P<name>[0-9a-f]{64})\.js$")
_DEPLOYMENT = re.compile(r"^audit/(?P<name>[^/]+)\.json$")


@dataclass(frozen=True, slots=True)
class Trail:
    """What can be restored, and what is wrong with the rest.

    `releases` and `functions` (sources) by name and digest, `deployments` in the order of time,
    `whole` names the releases whose manifest is there, `damaged` says what is wrong by key.
    """

    releases: dict[str, ReleaseRecord] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    deployments: list[DeploymentRecord] = field(default_factory=list)
    whole: frozenset[str] = frozenset()
    damaged: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.releases or self.functions or self.deployments or self.damaged)


def read_trail(objects: ObjectStore) -> Trail:
    """Read every audit object, and look which releases are still there. Raises EdgeError."""
    trail = _read_all(objects)
    _add_untold(objects, trail)
    usable = [one for one in trail.deployments if _is_told(trail, one)]
    present = [one.name for one in trail.releases.values() if one.removed_at is None]
    heads = at_once(lambda name: objects.head(_manifest_key(name)), present)
    return Trail(
        trail.releases,
        trail.functions,
        sorted(usable, key=lambda one: (one.at, one.number)),
        frozenset(name for name, head in zip(present, heads, strict=True) if head),
        trail.damaged,
    )


def _read_all(objects: ObjectStore) -> Trail:
    trail = Trail()
    keys = [one.key for one in objects.list(audit.PREFIX)]
    bodies = at_once(lambda key: objects.get(key).body, keys)
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
            raise Damaged(f"it tells of {release.name}")
        trail.releases[release.name] = release
    elif found := _FUNCTION.match(key):
        trail.functions[found["name"]] = read_function(body, found["name"])
    elif _DEPLOYMENT.match(key):
        trail.deployments.append(read_deployment(body))
    else:
        raise Damaged("nothing of that name is written there")


def _add_untold(objects: ObjectStore, trail: Trail) -> None:
    """Add the releases that no audit object tells of, by their manifests.

    Their names stand in deployments, and in the keys of audit objects that cannot be used.
    """
    named = {one.release for one in trail.deployments}
    named |= {one.previous for one in trail.deployments if one.previous}
    named |= {found["name"] for key in trail.damaged if (found := _RELEASE.match(key))}
    for name in sorted(named - trail.releases.keys()):
        try:
            trail.releases[name] = _from_manifest(objects, name)
        except (Damaged, ObjectMissing) as error:
            trail.damaged.setdefault(audit.release_key(name), f"missing, and {error}")


def _from_manifest(objects: ObjectStore, name: str) -> ReleaseRecord:
    """Read a release from its manifest. Raises Damaged, ObjectMissing."""
    try:
        manifest = Manifest.from_json(objects.get(_manifest_key(name)).body)
        created_at = datetime.strptime(name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except (ValueError, KeyError) as error:
        raise Damaged(f"{_manifest_key(name)} is no manifest") from error
    if not name.endswith(manifest.digest[:8]):
        raise Damaged(f"{_manifest_key(name)} is not the one that was pushed")
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


def _is_told(trail: Trail, one: DeploymentRecord) -> bool:
    """Tell whether all a deployment refers to is known; what is not is damage."""
    missing = [
        f"{what} is missing"
        for what, is_known in (
            (audit.release_key(one.release), one.release in trail.releases),
            (audit.function_key(one.function), one.function in trail.functions),
        )
        if not is_known
    ]
    if missing:
        trail.damaged[f"deployment {one.number}"] = " and ".join(missing)
    return not missing


def _manifest_key(name: str) -> str:
    return f"releases/{name}/{MANIFEST}"
