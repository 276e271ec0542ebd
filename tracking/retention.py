"""What becomes of links after their job: first a receipt, then nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from dispatch.ending import ended_before
from tracking.models import TrackingLink, TrackingLinkQuerySet
from tracking.queue import request_publishing

# Links that change in one run. Publishing their documents must not hold up those of today's jobs.
ENDED_AT_ONCE = 500


def make_receipts(now: datetime) -> int:
    """Turn links of jobs that ended TRACKING_FULL_DAYS ago into receipts; return how many.

    Their documents are written again, and their pages cannot be unlocked any more.
    """
    full = TrackingLink.objects.active().filter(is_receipt=False)
    return _of_ended(full, now, settings.TRACKING_FULL_DAYS, _make_receipts)


def end_links(now: datetime) -> int:
    """Revoke links of jobs that ended TRACKING_RECEIPT_DAYS ago; return how many."""
    active = TrackingLink.objects.active()
    values = {"revoked_at": now, "revoked_by": "system", "revoke_reason": "ended"}
    return _of_ended(
        active, now, settings.TRACKING_RECEIPT_DAYS, lambda links: links.update(**values)
    )


def _make_receipts(links: TrackingLinkQuerySet) -> int:
    links.mark_unknown()
    return links.update(is_receipt=True)


@transaction.atomic
def _of_ended(
    links: TrackingLinkQuerySet,
    now: datetime,
    days: int,
    change: Callable[[TrackingLinkQuerySet], int],
) -> int:
    """Change ENDED_AT_ONCE links of jobs that ended some days ago, if days are not 0.

    A link created later has as many days from then, so the office can give out one for an old job.
    """
    if days <= 0:
        return 0
    before = now - timedelta(days=days)
    old = links.filter(created_at__lt=before, job__in=ended_before(before))
    first = list(old.order_by("pk").values_list("pk", flat=True)[:ENDED_AT_ONCE])
    changed = change(links.filter(pk__in=first))
    if changed:
        request_publishing()
    return changed
