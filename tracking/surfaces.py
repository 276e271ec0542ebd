"""The contexts of the static pages. settings.SURFACES names them; a build calls each once."""

from typing import Any

from django.conf import settings

from dispatch.forms import BookingForm
from dispatch.models import ServiceType
from dispatch.statuses import FLOW

NO_PRICE = "To be agreed"
NO_CREW = "Not assigned yet"


def home_context() -> dict[str, Any]:
    """Return the services that can be booked."""
    return {"services": list(ServiceType.objects.filter(active=True))}


def book_context() -> dict[str, Any]:
    """Return the empty form. It has no key, because all visitors get the same file."""
    return {"form": BookingForm()}


def track_context() -> dict[str, Any]:
    """Return the data track.js needs besides the job's document."""
    return {
        "data": {
            "zone": settings.TIME_ZONE,
            "statuses": status_table(),
            "noPrice": NO_PRICE,
            "noCrew": NO_CREW,
        }
    }


def dashboard_context() -> dict[str, Any]:
    """Return the firm's time zone."""
    return {"data": {"zone": settings.TIME_ZONE}}


def status_table() -> dict[str, dict[str, Any]]:
    """Return for each status the text `next`, the seconds to `poll`, and whether it `waits`.

    A job that waits is late once its window has passed.
    """
    return {
        status.value: {
            "next": step.next_for_customer,
            "poll": step.poll_seconds,
            "waits": step.can_be_late,
        }
        for status, step in FLOW.items()
    }
