"""What happens to a job some time after its end."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from dispatch.models import Job, JobEvent, JobQuerySet

# The booking form and the job page promise this.
ACCESS_NOTES_KEPT = timedelta(days=1)
MOVES = (JobEvent.Kind.CREATED, JobEvent.Kind.STATUS)


def ended_before(moment: datetime) -> JobQuerySet:
    """Return the jobs that were completed or cancelled before a moment.

    Later edits, such as of a price, do not count.
    """
    later = JobEvent.objects.filter(job=OuterRef("pk"), kind__in=MOVES, at__gte=moment)
    ended: JobQuerySet = Job.objects.filter(is_open=False).exclude(Exists(later))
    return ended


def wipe_access_notes(now: datetime) -> int:
    """Empty the access notes of jobs that ended a day ago; return how many had some.

    Writes neither event nor revision: no document shows the notes, history does not hold them, and
    a page that is open in the office must not be refused because of this.
    """
    ended = ended_before(now - ACCESS_NOTES_KEPT)
    return ended.exclude(access_notes="").update(access_notes="")
