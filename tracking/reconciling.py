"""Reconciliation: every hour a slice of the documents in the store is compared with the links.

Publishing trusts what the links say was published. Where the store lost or changed a document, this
finds it within a day, and has it written again.
"""

import logging
import random
import time
from collections import Counter
from datetime import datetime

from edge.protocols import ObjectStore
from tracking.comparing import Comparison, Faults, compare_documents
from tracking.models import TrackingLink
from tracking.queue import request_publishing

SECONDS = 30  # half of what a scheduled task may take
# SHA-256s spread evenly, so their first two digits cut both sides into slices of one size.
PARTS = [f"{number:02x}" for number in range(256)]
HOURS = 24
PAGE = 1_000
log = logging.getLogger(__name__)


def reconcile(objects: ObjectStore, *, now: datetime, seconds: float = SECONDS) -> dict[str, int]:
    """Compare this hour's slice, mark what is wrong as unknown, and return the counts.

    The slice's parts come in any order. If there is not time for all, others are compared on
    another day. Raises EdgeError.
    """
    ends = time.monotonic() + seconds
    parts = slice_of(now)
    random.shuffle(parts)
    counts: Counter[str] = Counter()
    for done, part in enumerate(parts):
        if done and time.monotonic() >= ends:
            log.warning("Compared %s of %s parts of the documents in time.", done, len(parts))
            break
        counts.update(_reconcile_part(objects, part))
    return dict(counts)


def slice_of(now: datetime) -> list[str]:
    """Return the first digits of the tokens (SHA-256) that this hour compares."""
    hour = int(now.timestamp() // 3600) % HOURS
    return PARTS[hour * len(PARTS) // HOURS : (hour + 1) * len(PARTS) // HOURS]


def _reconcile_part(objects: ObjectStore, part: str) -> dict[str, int]:
    found = compare_documents(objects, part=part)
    for name, faults in (("missing", found.missing), ("different from the job", found.stale)):
        if faults.count:
            log.warning(
                "Tracking documents %s: %s (%s). They are published again.",
                name, faults.count, ", ".join(faults.named),
            )  # fmt: skip
            _mark(faults)
    return _counts(found)


def _mark(faults: Faults) -> None:
    for start in range(0, len(faults.links), PAGE):
        pks = faults.links[start : start + PAGE]
        TrackingLink.objects.active().filter(pk__in=pks).mark_unknown()
    request_publishing()


def _counts(found: Comparison) -> dict[str, int]:
    return {
        "documents": found.documents,
        "missing": found.missing.count,
        "stale": found.stale.count,
        "orphaned": found.orphaned,
    }
