"""Publishing: updating the documents in the object store to the jobs' revisions.

One worker at a time publishes a link. It claims the link by a conditional UPDATE of `claimed_at`,
and each of its later writes requires the same `claimed_at`. A claim lapses after LEASE, so a dead
worker blocks nothing. A slow worker finds after writing that its claim is gone, and may have
overwritten a newer document. So it marks the document as unknown (revision 0) and breaks the claim
of the worker that took over, which makes both try again. A document is therefore recorded as
current only by a worker that alone wrote it during its claim.
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

# Longer than a task's timeout (settings.Q_CLUSTER), so that the cluster stops a worker before its
# claim lapses.
LEASE = timedelta(seconds=120)
# Per link and run; a job that keeps changing is left to the next run.
MAX_ATTEMPTS = 5
# Jobs that the error message lists; the log has them all.
MAX_NAMED_FAILURES = 5
UNKNOWN_REVISION = 0
log = logging.getLogger(__name__)


class Outcome(Enum):
    """The result of one attempt to publish one link."""

    WRITTEN = "written"
    DELETED = "deleted"
    BUSY = "busy"
    LOST = "lost"
    FAILED = "failed"


def publish_behind(*, objects: ObjectStore, dry_run: bool = False) -> dict[str, int]:
    """Publish every link that is behind, and repeat until none is.

    Returns counts: documents `written` and `deleted`; `busy`, claimed by another worker; `left`
    for the next run. A dry run returns the planned counts. If the store refused some documents,
    raises PublishingFailed after trying all of them; they stay behind and are retried later.
    """
    if dry_run:
        return _planned()
    outcomes: Counter[Outcome] = Counter()
    attempts: Counter[int] = Counter()
    given_up: dict[int, Outcome] = {}
    while waiting := _waiting(given_up):
        for pk in waiting:
            outcome = publish_link(pk=pk, objects=objects)
            outcomes[outcome] += 1
            attempts[pk] += 1
            if outcome in (Outcome.BUSY, Outcome.FAILED) or attempts[pk] == MAX_ATTEMPTS:
                given_up[pk] = outcome
    _raise_for_failures([pk for pk, outcome in given_up.items() if outcome is Outcome.FAILED])
    return {
        "written": outcomes[Outcome.WRITTEN],
        "deleted": outcomes[Outcome.DELETED],
        "busy": outcomes[Outcome.BUSY],
        "left": _still_behind(given_up),
    }


def publish_link(*, pk: int, objects: ObjectStore) -> Outcome:
    """Update one link's document, unless another worker is publishing it."""
    claim = claim_link(pk=pk)
    if claim is None:
        return Outcome.BUSY
    # Read after the claim, so that the document has every change committed before it.
    link = TrackingLink.objects.get(pk=pk)
    try:
        if link.is_active:
            revision = _write(link, objects)
            return record(pk=pk, claim=claim, revision=revision, outcome=Outcome.WRITTEN)
        objects.delete([link.key])
    except (EdgeError, OSError) as error:
        _release(pk=pk, claim=claim)
        # Neither traceback nor message: both may contain the document's key.
        reason = getattr(error, "code", type(error).__name__)
        log.warning("Publishing %s failed: %s. It will be retried.", link, reason)
        return Outcome.FAILED
    return record(pk=pk, claim=claim, revision=None, outcome=Outcome.DELETED)


def claim_link(*, pk: int) -> datetime | None:
    """Claim a link and return the claim, or None if another worker has it.

    Also records, before anything is written, that a document may exist from now on. So if the link
    is revoked while its first document is being written, the document is found and deleted.
    """
    now = timezone.now()
    free = TrackingLink.objects.unclaimed(lapsed_before=now - LEASE).filter(pk=pk)
    may_exist = Coalesce("published_revision", Value(UNKNOWN_REVISION))
    return now if free.update(claimed_at=now, published_revision=may_exist) else None


def record(*, pk: int, claim: datetime, revision: int | None, outcome: Outcome) -> Outcome:
    """Record the published revision and release the claim; LOST if another worker took it."""
    link = TrackingLink.objects.filter(pk=pk)
    values = {"published_revision": revision, "published_at": timezone.now(), "claimed_at": None}
    if link.filter(claimed_at=claim).update(**values):
        return outcome
    # This write may have replaced a newer document, before or after the other worker recorded it.
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
    numbers = Job.objects.filter(tracking_links__in=pks[:MAX_NAMED_FAILURES]).order_by("number")
    named = ", ".join(job.label for job in numbers)
    more = f" and {len(pks) - MAX_NAMED_FAILURES} more" if len(pks) > MAX_NAMED_FAILURES else ""
    raise PublishingFailed(
        f"The store refused the tracking documents of {named}{more}.",
        "Customers see the previous state until a retry succeeds; there is one every minute. "
        "Run publish_tracking to retry now, and check the log if it keeps failing.",
    )
