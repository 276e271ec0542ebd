"""Claims: one worker at a time publishes a link.

A worker claims links by a conditional UPDATE of `claimed_at`, and each of its later writes requires
the same `claimed_at`. A claim lapses after LEASE, so a dead worker blocks nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from edge.database_clock import database_now
from tracking.models import UNKNOWN_REVISION, TrackingLink

# Longer than a publishing task's timeout (settings.Q_CLUSTER), so that the cluster stops a worker
# before its claim lapses; short, because what a killed worker has claimed waits for it.
LEASE = timedelta(seconds=2 * settings.PUBLISH_SECONDS + 10)


class Outcome(Enum):
    """The result of one attempt to publish one link."""

    WRITTEN = "written"
    DELETED = "deleted"
    BUSY = "busy"
    LOST = "lost"
    FAILED = "failed"


@transaction.atomic
def claim_links(pks: Iterable[int]) -> tuple[datetime, list[TrackingLink]]:
    """Claim those links that are behind and that no other worker has.

    Returns the claim, and the links as they were before it.

    Also records, before anything is written, that a document may exist from now on. So if a link
    is revoked while its first document is being written, the document is found and deleted.
    """
    now = database_now()
    behind = TrackingLink.objects.behind().filter(pk__in=pks)
    free = behind.unclaimed(lapsed_before=now - LEASE)
    # A row that is being changed is skipped: the change requests publishing once it is committed.
    claimed = list(free.select_for_update(skip_locked=True, no_key=True))
    may_exist = Coalesce("published_revision", Value(UNKNOWN_REVISION))
    links = TrackingLink.objects.filter(pk__in=[link.pk for link in claimed])
    links.update(claimed_at=now, published_revision=may_exist)
    return now, claimed


def record(*, pk: int, claim: datetime, revision: int | None, outcome: Outcome) -> Outcome:
    """Record the published revision and release the claim; LOST if another worker took it."""
    link = TrackingLink.objects.filter(pk=pk)
    values = {"published_revision": revision, "published_at": timezone.now(), "claimed_at": None}
    if link.filter(claimed_at=claim).update(**values):
        return outcome
    # This write may have replaced a newer document, before or after the other worker recorded it.
    link.mark_unknown()
    return Outcome.LOST


def release(*, pk: int, claim: datetime) -> None:
    """Give up a claim after nothing was written, if it is still held."""
    TrackingLink.objects.filter(pk=pk, claimed_at=claim).update(claimed_at=None)
