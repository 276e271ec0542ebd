"""Background work of tracking."""

from edge.backends import get_backend
from tracking.links import ensure_open_links
from tracking.publishing import publish_behind


def publish() -> dict[str, int]:
    """Publish what is behind; give the counts. Raises PublishingFailed, so the task fails."""
    ensure_open_links(actor="system")
    return publish_behind(objects=get_backend().objects)
