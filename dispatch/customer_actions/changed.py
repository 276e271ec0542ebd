"""What changed in a job since a customer looked at it, in their words."""

from datetime import datetime

from django.utils.translation import gettext as _

from dispatch.models import Job, JobEvent
from dispatch.statuses import Status
from dispatch.times import interval_text

WINDOW = ("window_start", "window_end")


def changes_since(job: Job, revision: int, now: datetime) -> list[str]:
    """Return a sentence for each fact that changed after a revision. Says neither who nor why."""
    later = JobEvent.objects.filter(job=job, revision__gt=revision)
    names = {name for event in later for name in event.changes}
    texts = []
    if "status" in names:
        texts.append(_("It is now: %(status)s.") % {"status": Status(job.status).label})
    if "on_hold" in names and job.on_hold:
        texts.append(_("We have paused it."))
    if names.intersection(WINDOW) and not job.on_hold:
        texts.append(_window(job, now))
    if "price" in names and job.price is not None:
        texts.append(_("The price is now %(price)s.") % {"price": job.price.shown})
    return texts or ([_("Its details were changed.")] if names else [])


def _window(job: Job, now: datetime) -> str:
    if job.window_start is None or job.window_end is None:
        return _("It has no arrival window now.")
    window = interval_text(job.window_start, job.window_end, now)
    return _("The arrival window is now %(window)s.") % {"window": window}
