"""The calendar file of a job's arrival window (iCalendar, RFC 5545)."""

from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress, vText

from dispatch.errors import ValueRefused
from dispatch.models import Job
from dispatch.statuses import Status

# An email adds the character set by itself.
MEDIA_TYPE = "text/calendar; method=PUBLISH"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"
FILE_NAME = "appointment.ics"
FOLLOW = {Job.Language.ENGLISH: "Follow your job", Job.Language.SPANISH: "Siga su trabajo"}


class NoWindow(ValueRefused):
    """The job has no arrival window, so there is nothing for a calendar."""

    code = "no-window"


def calendar_of(job: Job, *, url: str = "") -> bytes:
    """Return an .ics file with the job's window. Raises NoWindow.

    The UID stays and SEQUENCE rises with the job's revision, so a calendar that has the event
    already updates it. A cancelled job's event is cancelled. `url` is the customer's link.
    """
    if job.window_start is None or job.window_end is None:
        raise NoWindow(f"{job.label} has no arrival window.", "Enter one first.")
    calendar = Calendar()
    calendar.add("PRODID", f"-//{settings.FIRM_NAME}//Booking//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "PUBLISH")
    calendar.add_component(_event(job, url))
    return bytes(calendar.to_ical())


def _event(job: Job, url: str) -> Event:
    event = Event()
    event.add("UID", f"{job.label}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("SEQUENCE", job.revision)
    event.add("DTSTAMP", job.updated_at)
    event.add("DTSTART", job.window_start)
    event.add("DTEND", job.window_end)
    event.add("SUMMARY", f"{settings.FIRM_NAME}: {job.service.name}")
    cancelled = job.status == Status.CANCELLED
    event.add("STATUS", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT")  # the customer need not be free for all of the window
    event["ORGANIZER"] = _organizer()
    if url:
        event.add("DESCRIPTION", f"{FOLLOW[Job.Language(job.language)]}: {url}")
        event.add("URL", url)
    return event


def _organizer() -> vCalAddress:
    """Return the firm. PUBLISH needs an organizer (RFC 5546, section 3.2.1)."""
    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = vText(settings.FIRM_NAME)
    return organizer
