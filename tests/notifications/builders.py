"""Plain builders for messages."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatch.models import TextConsent
from dispatch.statuses import Status
from notifications.kinds import Channel, Event
from notifications.models import Message
from tests.builders import make_job
from tests.tracking.builders import make_link

DENVER = ZoneInfo("America/Denver")
START = datetime(2026, 11, 24, 9, tzinfo=DENVER)
WINDOW = {"window_start": START, "window_end": START + timedelta(hours=2)}


def make_customers_job(*, consent=False, link=True, **kwargs):
    """Make a job with an email, a window and a link; with consent to text messages if asked."""
    values = {"contact_name": "Mark Halvorsen", "contact_email": "mark@example.com"}
    job = make_job(**{**values, "status": Status.SCHEDULED, **WINDOW, **kwargs})
    if consent:
        TextConsent.objects.create(job=job, version="1", text="I agree")
    if link:
        make_link(job=job, token=f"secret-token-of-{job.number}")
    return job


def make_message(*, job=None, event=Event.PRICE_CHANGED, channel=Channel.EMAIL, **kwargs):
    """Make a queued message. A changed price is true in every status."""
    job = job or make_customers_job()
    recipient = job.contact_email if channel == Channel.EMAIL else job.customer.phone.as_e164
    values = {"recipient": recipient, "language": job.language, "caused_by": "dana", **kwargs}
    return Message.objects.create(job=job, event=event, channel=channel, **values)
