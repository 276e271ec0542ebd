"""ZIP archives that arrive in the bucket: `incoming/<environment>/<name>.zip` is pushed there.

Who may write to the prefix may push. Viewers cannot reach it, as with `uploads/`.
"""

import logging
import re

from django.conf import settings

from deployments.errors import DeploymentError, Refused
from deployments.models import Environment, Operation
from deployments.operations import uploads
from deployments.operations.archives import check_takes_archives, push_archive
from edge.backends import get_backend
from edge.errors import EdgeError
from edge.protocols import ListedObject, ObjectStore

PREFIX, REFUSED = "incoming/", "incoming/refused/"
ACTOR = "incoming"
LONGEST_NAME = 200
_ARCHIVE = re.compile(rf"{PREFIX}([^/]+)/([^/]+\.zip)", re.IGNORECASE)
log = logging.getLogger(__name__)


def receive() -> dict[str, int]:
    """Start a push of each archive that has arrived; count those, and those that are refused.

    A killed run is safe to repeat: an archive is removed once its operation exists, and pushing it
    twice changes nothing more. Raises EdgeError.
    """
    objects = get_backend().objects
    done = {"pushed": 0, "refused": 0}
    for one in list(objects.list(PREFIX)):
        match = _ARCHIVE.fullmatch(one.key)
        if match is None or one.key.startswith(REFUSED):
            continue
        try:
            done[_take(objects, one, match[1], match[2])] += 1
        except EdgeError as error:  # the others may work; this one is tried again
            log.error("Cannot take %r: %s", one.key, error)
    return done


def _take(objects: ObjectStore, one: ListedObject, environment: str, name: str) -> str:
    """Push an archive, or put it out of the way; say which. Raises EdgeError."""
    try:
        operation = _push(objects, one, environment, name)
        log.info("Push %r with operation %s", one.key, operation.pk)
        return _removed(objects, one, "pushed")
    except DeploymentError as error:
        log.warning("Refused %r: %s", one.key, error)
        objects.copy(one.key, f"{REFUSED}{one.key.removeprefix(PREFIX)}", metadata={})
        return _removed(objects, one, "refused")


def _removed(objects: ObjectStore, one: ListedObject, done: str) -> str:
    """Remove an archive, unless another has replaced it: that is the next one to take."""
    now = objects.head(one.key)
    if now and now.etag == one.etag:
        objects.delete([one.key])
    return done


def _push(objects: ObjectStore, one: ListedObject, environment: str, name: str) -> Operation:
    """Start the push of an archive. Raises Refused, EdgeError."""
    to = Environment.objects.named(environment)
    check_takes_archives(to)
    if not 0 < one.size <= settings.API_UPLOAD_BYTES:
        raise Refused(
            "upload-size",
            f"Expected an archive of 1 to {settings.API_UPLOAD_BYTES:,} bytes, found {one.size:,}.",
            "Leave out large files, such as videos, or push from a shell.",
        )
    with uploads.opened(objects, one.key) as archive:
        reason = name[:LONGEST_NAME] if name.isprintable() else ""
        return push_archive(environment=to, archive=archive, actor=ACTOR, reason=reason)
