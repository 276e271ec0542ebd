"""Publishing: bringing the documents in the object store up to the jobs' revisions.

One link is published by one worker at a time. The claim is a conditional UPDATE of `claimed_at`,
and `claimed_at` names the claim: every later write of the worker asks that it still stands.
A claim lapses after LEASE, so a dead worker holds nothing up. A worker that was only slow finds
its claim gone after writing; what it wrote may be older than what stood there, so it marks the
document as unknown (revision 0) and breaks the claim of whoever took over, which makes both look
again. So a document is recorded as newest only by a worker that alone wrote during its claim.
"""

import logging
from collections import Counter
from datetime import datetime, timedelta
from enum import Enum

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from dispatch.models import Job
from edge.errors import EdgeError
from edge.protocols import ObjectStore
from tracking.documents import CACHE_CONTROL, CONTENT_TYPE, public_document, to_bytes
from tracking.errors import PublishingFailed
from tracking.models import TrackingLink

# Longer than the timeout of a task (settings.Q_CLUSTER), so that a worker of the cluster is
# stopped before its claim lapses.
LEASE = timedelta(seconds=120)
# Looks at one link in one run; a job that changes faster is left to the next run.
MOST_LOOKS = 5
# Failures told by number in the message; all are in the log.
NAMED_FAILURES = 5
UNKNOWN_REVISION = 0
log = logging.getLogger(__name__)


class Outcome(Enum):
    """What became of one look at one link."""

    WRITTEN = "written"
    DELETED = "deleted"
    BUSY = "busy"
    LOST = "lost"
    FAILED = "failed"


def publish_behind(*, objects: ObjectStore, dry_run: bool = False) -> dict[str, int]:
    """Publish every link that is behind, and look again until none is.

    Gives counts: `written` and `deleted` documents; `busy`, left to the worker that has them;
    `left`, given up for this run. A dry run counts what would be done. Raises PublishingFailed
    after the last one, when the store refused some: those stay behind and are tried again.
    """
    if dry_run:
        return _planned()
    outcomes: Counter[Outcome] = Counter()
    looks: Counter[int] = Counter()
    given_up: dict[int, Outcome] = {}
    while waiting := _waiting(given_up):
        for pk in waiting:
            outcome = publish_link(pk=pk, objects=objects)
            outcomes[outcome] += 1
            looks[pk] += 1
            if outcome in (Outcome.BUSY, Outcome.FAILED) or looks[pk] == MOST_LOOKS:
                given_up[pk] = outcome
    _raise_for_failures([pk for pk, outcome in given_up.items() if outcome is Outcome.FAILED])
    return {
        "written": outcomes[Outcome.WRITTEN],
        "deleted": outcomes[Outcome.DELETED],
        "busy": outcomes[Outcome.BUSY],
        "left": _still_behind(given_up),
    }


def publish_link(*, pk: int, objects: ObjectStore) -> Outcome:
    """Bring one document up to date, if nobody else is doing so."""
    claim = claim_link(pk=pk)
    if claim is None:
        return Outcome.BUSY
    # Read after the claim: whatever was committed before it is in the document.
    link = TrackingLink.objects.get(pk=pk)
    try:
        if link.is_active:
            revision = _write(link, objects)
            return record(pk=pk, claim=claim, revision=revision, outcome=Outcome.WRITTEN)
        objects.delete([link.key])
    except (EdgeError, OSError) as error:
        _release(pk=pk, claim=claim)
        # Not the traceback nor the message: both may name the key of the document.
        reason = getattr(error, "code", type(error).__name__)
        log.warning("Publishing %s failed: %s. It is tried again.", link, reason)
        return Outcome.FAILED
    return record(pk=pk, claim=claim, revision=None, outcome=Outcome.DELETED)


def claim_link(*, pk: int) -> datetime | None:
    """Claim a link that is behind; give the claim, or None when it is another worker's.

    Noted before anything is written: a document may be out from here on. A link that is revoked
    while its first document is being written is found, and the document deleted.
    """
    now = timezone.now()
    free = TrackingLink.objects.unclaimed(lapsed_before=now - LEASE).filter(pk=pk)
    may_be_out = Coalesce("published_revision", Value(UNKNOWN_REVISION))
    return now if free.update(claimed_at=now, published_revision=may_be_out) else None


def record(*, pk: int, claim: datetime, revision: int | None, outcome: Outcome) -> Outcome:
    """Record what is out, and release. LOST when the claim was taken over meanwhile."""
    link = TrackingLink.objects.filter(pk=pk)
    values = {"published_revision": revision, "published_at": timezone.now(), "claimed_at": None}
    if link.filter(claimed_at=claim).update(**values):
        return outcome
    # Ours may have overwritten a newer document, before or after the other worker's record.
    link.update(published_revision=UNKNOWN_REVISION, claimed_at=None)
    return Outcome.LOST


def _planned() -> dict[str, int]:
    behind = TrackingLink.objects.behind()
    written = behind.active().count()
    return {"written": written, "deleted": behind.count() - written, "busy": 0, "left": 0}


def _waiting(given_up: dict[int, Outcome]) -> list[int]:
    behind = TrackingLink.objects.behind().values_list("pk", flat=True)
    return [pk for pk in behind if pk not in given_up]


def _write(link: TrackingLink, objects: ObjectStore) -> int:
    jobs = Job.objects.select_related("service", "crew").prefetch_related("events", "prices")
    job = jobs.get(pk=link.job_id)
    body = to_bytes(public_document(job))
    objects.put(link.key, body, content_type=CONTENT_TYPE, cache_control=CACHE_CONTROL)
    return job.revision


def _release(*, pk: int, claim: datetime) -> None:
    TrackingLink.objects.filter(pk=pk, claimed_at=claim).update(claimed_at=None)


def _still_behind(given_up: dict[int, Outcome]) -> int:
    pks = [pk for pk, outcome in given_up.items() if outcome is not Outcome.BUSY]
    return TrackingLink.objects.behind().filter(pk__in=pks).count()


def _raise_for_failures(pks: list[int]) -> None:
    if not pks:
        return
    numbers = Job.objects.filter(tracking_links__in=pks[:NAMED_FAILURES]).order_by("number")
    named = ", ".join(job.label for job in numbers)
    more = f" and {len(pks) - NAMED_FAILURES} more" if len(pks) > NAMED_FAILURES else ""
    raise PublishingFailed(
        f"The store did not take the tracking documents of {named}{more}.",
        "Customers see the state before. It is tried again every minute; run publish_tracking "
        "to try now, and look at the log if it goes on.",
    )
