"""Background work of the crews' pages."""

from django.utils import timezone

from crews.links import purge_links


def purge() -> int:
    """Delete links that ended some time ago; return how many there were."""
    return purge_links(timezone.now())
