"""Background work of tracking."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from edge.backends import get_backend
from tracking import links, publishing, reconciling, retention
from tracking.checking import forget_checks
from tracking.comparing import remove_orphans_unattended
from tracking.queue import request_publishing
from tracking.registry import writing


def publish() -> dict[str, int]:
    """Publish links that are behind for PUBLISH_SECONDS, and return the counts.

    The next task publishes what is left. PublishingFailed fails the task.
    """
    done = publishing.publish(objects=get_backend().objects, seconds=settings.PUBLISH_SECONDS)
    if done["left"]:
        request_publishing()
    return done


def reconcile() -> dict[str, int]:
    """Look for links and documents that are missing, and have them made; return the counts.

    Raises EdgeError, so that the task is shown as failed.
    """
    made = links.ensure_open_links(actor="system")
    if made:
        request_publishing()
    found = reconciling.reconcile(get_backend().objects, now=timezone.now())
    return {"links_made": made, **found}


def end_links() -> dict[str, int]:
    """Turn the links of jobs that ended into receipts, and later end them; return how many."""
    now = timezone.now()
    return {"ended": retention.end_links(now), "receipts": retention.make_receipts(now)}


def write_registry() -> int:
    """Write the private registry, and return how many jobs it has."""
    return writing.write_registry(get_backend().objects)


def prune_daily() -> dict[str, Any] | None:
    """Remove documents without a link if PRUNE_SCHEDULED is on, and return how many.

    Old checks of the tracking pages are forgotten in any case. Raises MostlyOrphaned or EdgeError,
    so that the task is shown as failed.
    """
    forget_checks(timezone.now())
    if not settings.PRUNE_SCHEDULED:
        return None
    return remove_orphans_unattended(get_backend().objects).as_json()
