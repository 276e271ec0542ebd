"""The last job number in the object store, so that none is used twice after a loss.

Publishing records it there; a booking never does. So numbers given out since the last publication
are not known, and a database that lost some continues MARGIN above what is known.
"""

import json
import logging
from contextlib import suppress

from dispatch.numbers import last_number
from dispatch.probes import PROBE_NUMBER
from edge.errors import EdgeError, ObjectMissing
from edge.protocols import ObjectStore
from tracking.stored import listed_documents, read_documents

KEY = "registry/last-number.json"
MARGIN = 1_000
log = logging.getLogger(__name__)


def record_last_number(objects: ObjectStore) -> None:
    """Record the counter in the store, unless a higher one is recorded.

    A store that fails is logged: the next publication records it.
    """
    try:
        number = last_number()
        if number > (_recorded(objects) or 0):
            body = json.dumps({"number": number}).encode()
            objects.put(KEY, body, content_type="application/json", cache_control="no-store")
    except (EdgeError, OSError) as error:
        reason = getattr(error, "code", type(error).__name__)
        log.warning("The last job number was not recorded: %s. It will be retried.", reason)


def highest_known(objects: ObjectStore) -> int:
    """Return the highest job number that the store knows, or 0. Raises EdgeError.

    Without a recorded number, reads all documents.
    """
    known = _recorded(objects)
    return _highest_published(objects) if known is None else known


def continued(last: int, *, known: int) -> int:
    """Return the number after which to continue: `last`, or safely above a higher known one."""
    return known + MARGIN if known > last else last


def _recorded(objects: ObjectStore) -> int | None:
    with suppress(ObjectMissing, ValueError, KeyError, TypeError):
        return int(json.loads(objects.get(KEY).body)["number"])
    return None


def _highest_published(objects: ObjectStore) -> int:
    return max(
        (
            _number_in(body)
            for batch in listed_documents(objects)
            for body in read_documents(objects, [one.key for one in batch.values()])
        ),
        default=0,
    )


def _number_in(document: bytes) -> int:
    """Return the number of a document (`QDN-1042`), or 0 if it has none or is the probe's."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        number = int(json.loads(document)["number"].rpartition("-")[2])
        return 0 if number == PROBE_NUMBER else number
    return 0
