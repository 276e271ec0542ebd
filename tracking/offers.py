"""The public document of prices and free windows, which the booking page asks for."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.views.decorators.http import require_safe

from dispatch.addresses import parse_zip
from dispatch.errors import ValueRefused
from dispatch.models import Job, ServiceType
from dispatch.models.catalogue import dollars
from dispatch.offers import Offer, offer_for, window_label
from dispatch.questions import MAX_RENTAL_DAYS
from tracking.documents import moment

VERSION = 1
ENGLISH, SPANISH = Job.Language.ENGLISH.value, Job.Language.SPANISH.value
BAD_REQUEST = 400
# Short: a window that fills up meanwhile is refused when it is booked.
CACHE_CONTROL = "public, max-age=15"


@require_safe
def windows(request: HttpRequest) -> HttpResponse:
    """Return the offer for a ZIP code, and if given a service with its load or days of rental.

    No personal data, and the same number of queries for any number of jobs and windows. 400 with
    the code, message, hint and field of what cannot be read. `lang=es` gives Spanish labels.
    """
    now = timezone.now()
    try:
        offer = _offer(request.GET, now)
    except ValueRefused as error:
        return _refused(error)
    language = SPANISH if request.GET.get("lang") == SPANISH else ENGLISH
    with translation.override(language):
        response = JsonResponse(offer_document(offer, now))
    response["Cache-Control"] = CACHE_CONTROL
    return response


def offer_document(offer: Offer, now: datetime) -> dict[str, Any]:
    """Return an offer as JSON has it; `price` and `surcharge` are texts, or null for none.

    The labels are in the language that is active; `price` is the text that a booking repeats.
    """
    return {
        "v": VERSION,
        "served": offer.served,
        "price": str(offer.price) if offer.price else None,
        "price_label": offer.price.shown if offer.price else None,
        "surcharge": dollars(offer.surcharge_cents) if offer.surcharge_cents else None,
        "windows": [
            {
                "id": window.pk,
                "start": moment(window.start),
                "end": moment(window.end),
                "label": capfirst(window_label(window, now)),
            }
            for window in offer.windows
        ],
    }


def _offer(query: QueryDict, now: datetime) -> Offer:
    return offer_for(
        zip_code=parse_zip(query.get("zip", "")),
        service=_service(query.get("service", "")),
        load_size=_load_size(query.get("load", "")),
        rental_days=_days(query.get("days", "")),
        now=now,
    )


def _service(code: str) -> ServiceType | None:
    if not code:
        return None
    active = ServiceType.objects.filter(active=True)
    # SQLite takes a NUL for the end of a text, and PostgreSQL refuses it.
    service = None if "\x00" in code else active.filter(code=code).first()
    if service is None:
        codes = ", ".join(active.values_list("code", flat=True))
        raise ValueRefused("There is no such service.", f"Use one of: {codes}.", field="service")
    return service


def _load_size(code: str) -> str:
    if code and code not in Job.LoadSize.values:
        codes = ", ".join(Job.LoadSize.values)
        raise ValueRefused("There is no such load size.", f"Use one of: {codes}.", field="load")
    return code


def _days(text: str) -> int | None:
    if not text:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_RENTAL_DAYS))
    if not (is_number and 1 <= int(text) <= MAX_RENTAL_DAYS):
        raise ValueRefused(
            "The days of rental are not valid.",
            f"Send a number from 1 to {MAX_RENTAL_DAYS}.",
            field="days",
        )
    return int(text)


def _refused(error: ValueRefused) -> HttpResponse:
    field = "zip" if error.field == "zip_code" else error.field
    content = {"code": error.code, "message": error.message, "hint": error.hint, "field": field}
    response = JsonResponse({"v": VERSION, **content}, status=BAD_REQUEST)
    response["Cache-Control"] = "no-store"
    return response
