"""Pinning releases, so that retention keeps them at any age."""

from deployments import audit
from deployments.errors import PartlyChanged
from deployments.models import Release
from edge.errors import EdgeError
from edge.protocols import ObjectStore


def set_pinned(*, objects: ObjectStore, release: Release, pinned: bool) -> None:
    """Pin or unpin a release: in the row, which retention reads, then in the audit object.

    Raises Refused if the release was removed; PartlyChanged.
    """
    if not Release.objects.take(release, pinned=pinned):
        raise release.gone
    release.refresh_from_db()
    try:
        audit.write_release(objects, release)
    except EdgeError as error:
        command = "pin" if pinned else "unpin"
        raise PartlyChanged(
            "pin-not-told",
            f"{release} is {command}ned, but its audit object could not be written: {error}",
            f"Run: manage.py {command} {release}",
        ) from error
