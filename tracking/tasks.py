"""Background work of tracking."""

from edge.backends import get_backend
from tracking.links import ensure_open_links
from tracking.publishing import publish_behind


def publish() -> dict[str, int]:
    """Publish all links that are behind and return the counts. PublishingFailed fails the task."""
    ensure_open_links(actor="system")
    return publish_behind(objects=get_backend().objects)
