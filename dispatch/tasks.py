"""Background work of dispatch."""

from django.utils import timezone

from dispatch.ending import wipe_access_notes
from dispatch.limits import forget_attempts
from dispatch.photos.purge import purge_orphans
from dispatch.photos.purge import purge_photos as purge_ended
from dispatch.windows.generate import generate_windows
from dispatch.windows.recount import report_drift


def forget() -> dict[str, int]:
    """Delete what is kept only for a while; return how many access notes and counts there were."""
    now = timezone.now()
    return {"access_notes": wipe_access_notes(now), "attempts": forget_attempts(now)}


def make_windows() -> int:
    """Make the service windows of the coming days; return how many changed."""
    return generate_windows(timezone.now())


def recount_windows() -> int:
    """Log each service window whose count is wrong; return how many there are."""
    return report_drift()


def purge_photos() -> dict[str, int]:
    """Delete photos of jobs that ended long ago, and files without a row; return how many."""
    now = timezone.now()
    return {"photos": purge_ended(now), "files": purge_orphans(now)}
