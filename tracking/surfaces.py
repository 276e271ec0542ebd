"""The contexts of the static pages. settings.SURFACES names them; a build calls each once."""

from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from dispatch.catalogue.pricing import from_prices
from dispatch.forms import BookingForm
from dispatch.languages import LANGUAGES
from dispatch.models import BookingSettings, Job, ServiceType
from tracking.texts import DAY_POLL_SECONDS, page_texts, script_texts

# Load sizes and "dumpster", as in pricing.from_prices.
HOME_PRICES = ("eighth", "half", "full", "dumpster")


def home_context() -> dict[str, Any]:
    """Return the services that can be booked, and today's lowest prices (pricing.from_prices)."""
    lowest = from_prices(timezone.localdate())
    return {
        "services": list(ServiceType.objects.filter(active=True)),
        "prices": {key: lowest[key] for key in HOME_PRICES if key in lowest},
    }


def book_context() -> dict[str, Any]:
    """Return the empty form. It has no key, because all visitors get the same file."""
    return {"form": BookingForm(), "answer_hours": BookingSettings.load().answer_hours}


def track_context() -> dict[str, Any]:
    """Return the data track.js needs besides the job's document: the texts, by language."""
    hours = BookingSettings.load().answer_hours
    texts = {}
    for language in LANGUAGES:
        with translation.override(language):
            texts[language] = {**page_texts(hours), **script_texts()}
    data = {"zone": settings.TIME_ZONE, "dayPoll": DAY_POLL_SECONDS, "texts": texts}
    return {"data": data, "other_language": Job.Language.SPANISH.value}


def dashboard_context() -> dict[str, Any]:
    """Return the firm's time zone, and the names under which the panel shows parts of a job.

    `wish` is the part that a dispatcher needs when choosing a window.
    """
    facts = {
        "requested": "Asked for",
        "details": "Details",
        "access_notes": "Access notes",
    }
    return {"data": {"zone": settings.TIME_ZONE, "facts": facts, "wish": "requested"}}
