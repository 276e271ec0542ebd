"""Checks of the objects of releases."""

from collections.abc import Iterator

from deployments.errors import Refused
from deployments.live_history import replaced_release, rollback_release
from deployments.models import Release
from deployments.releases.manifest import ASSETS, Artifact
from deployments.releases.store import is_as_pushed, object_sizes, read_manifest
from deployments.verification.inspection import Drift, Inspection
from deployments.wording import plural

# Whether the release was made from a checkout or a folder is not known here.
PUSH_AGAIN = "manage.py push --no-deploy --repair"


def releases(inspection: Inspection) -> Iterator[Drift]:
    """Is every release complete that viewers, or a rollback, may need?"""
    environment, live = inspection.environment, inspection.live.release
    canary = environment.canary
    needed = (
        live,
        canary.release if canary else None,
        rollback_release(environment),
        replaced_release(environment, live),
    )
    for release in dict.fromkeys(filter(None, needed)):
        yield from _release(inspection, release)


def _release(inspection: Inspection, release: Release) -> Iterator[Drift]:
    objects = inspection.backend.objects
    try:
        manifest = read_manifest(objects, release)
    except Refused as refused:
        yield Drift("manifest", refused.message.rstrip("."), PUSH_AGAIN)
        return
    sizes = object_sizes(objects, release.key("")) | object_sizes(objects, ASSETS)
    keys = {artifact.key(release.name): artifact.size for artifact in manifest}
    wrong = [key for key, size in keys.items() if sizes.get(key) != size]
    if wrong:
        message = (
            f"missing or truncated in {release}: {len(wrong):,} of {plural(len(keys), 'file')}, "
            f"first {wrong[0]}; push it again from its source"
        )
        yield Drift("objects", message, PUSH_AGAIN)
    there = [a for a in manifest if sizes.get(a.key(release.name)) == a.size]
    yield from _overwritten(inspection, release, there)


def _overwritten(
    inspection: Inspection, release: Release, there: list[Artifact]
) -> Iterator[Drift]:
    """Was a page replaced by something else of the same size?"""
    pages = {page["path"] for page in release.pages.values()}
    for artifact in there:
        if artifact.path in pages and not is_as_pushed(
            inspection.backend.objects, release, artifact
        ):
            key = artifact.key(release.name)
            message = f"{key} was overwritten; push it again from its source"
            yield Drift("objects", message, PUSH_AGAIN)
