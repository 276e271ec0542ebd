"""Pinning releases, so that retention leaves them alone whatever their age."""

from deployments import audit
from deployments.errors import PartlyChanged
from deployments.models import Release
from edge.errors import EdgeError
from edge.protocols import ObjectStore


def pin(*, objects: ObjectStore, release: Release) -> None:
    """Keep a release until it is unpinned. Raises Refused when it was removed, PartlyChanged."""
    _set(objects, release, pinned=True)


def unpin(*, objects: ObjectStore, release: Release) -> None:
    """Leave a release to retention again. Raises Refused when it was removed, PartlyChanged."""
    _set(objects, release, pinned=False)


def _set(objects: ObjectStore, release: Release, *, pinned: bool) -> None:
    """Write it into the row, which is what retention asks, then into the audit object."""
    if not Release.objects.take(release, pinned=pinned):
        raise release.gone
    release.refresh_from_db()
    try:
        audit.write_release(objects, release)
    except EdgeError as error:
        command = "pin" if pinned else "unpin"
        raise PartlyChanged(
            "pin-not-told",
            f"{release} is {command}ned, but its audit object does not say so: {error}",
            f"Run: manage.py {command} {release}",
        ) from error
