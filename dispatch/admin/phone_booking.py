"""What the page for booking by phone asks for while one types: customers, prices, free windows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.admin import ModelAdmin

from dispatch.addresses import parse_zip
from dispatch.catalogue.area import surcharge_if_served
from dispatch.catalogue.pricing import quote
from dispatch.days import interval_text
from dispatch.errors import ValueRefused
from dispatch.models import Job, ServiceType, ServiceWindow
from dispatch.models.catalogue import LoadSize
from dispatch.phone_lookup import Known, known_customers
from dispatch.questions import MAX_RENTAL_DAYS
from dispatch.windows.offering import free_for_staff

OFFERED = 12
PLACE = ("address_line", "unit", "town", "zip_code")
WORK = ("load_size", "rental_days")


class PhoneBookingAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Two documents for those who may book: the customers of a phone, and the firm's offer."""

    def get_urls(self) -> list[URLPattern]:
        def own(view: Any, name: str) -> URLPattern:
            guarded = self.admin_site.admin_view(view)
            pattern: URLPattern = path(f"add/{name}/", guarded, name=f"job_{name}")
            return pattern

        urls: list[URLPattern] = super().get_urls()
        return [own(self.known_view, "known"), own(self.offer_view, "offer"), *urls]

    def known_view(self, request: HttpRequest) -> HttpResponse:
        """Return the customers whose phone begins with `phone`; none for under 7 digits.

        POST, as all that holds a phone number: addresses are logged.
        """
        self._check(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        found = known_customers(request.POST.get("phone", ""))
        return JsonResponse({"customers": [known_document(one) for one in found]})

    def offer_view(self, request: HttpRequest) -> HttpResponse:
        """Return the price and the windows with room for `service`, `load`, `days` and `zip`."""
        self._check(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return JsonResponse(offer_document(request.GET, timezone.now()))

    def _check(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied


def known_document(known: Known) -> dict[str, Any]:
    """Return a customer as the page needs it, and as `fields` what one key fills in."""
    customer = known.customer
    person = {"contact_name": customer.name, "contact_email": customer.email}
    person["phone"] = str(customer.phone or "")
    return {
        "label": f"{customer.name}, {customer.phone}",
        "fields": person,
        "places": [
            {"label": place_label(job), "fields": {**person, **last_time(job)}}
            for job in known.latest
        ],
    }


def last_time(job: Job) -> dict[str, str]:
    """Return the fields to fill in so that the next job is like this one."""
    values = {name: getattr(job, name) for name in (*PLACE, *WORK)}
    values["language"] = job.language
    if job.service.active:
        values["service"] = job.service_id
    return {name: "" if value is None else str(value) for name, value in values.items()}


def place_label(job: Job) -> str:
    """Say where and what a job was, like "1 Elm Street, Fairbanks, 99709 (Junk removal)"."""
    return f"{job.address} ({job.service})"


def offer_document(query: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return price, note and windows. What cannot be read counts as not given."""
    zip_code, load = _zip(query.get("zip", "")), query.get("load", "")
    load = load if load in LoadSize.values else ""
    service = _service(query.get("service", ""))
    is_served = not zip_code or surcharge_if_served(zip_code) is not None
    price = None
    if service is not None:
        price = quote(
            service=service,
            load_size=load,
            rental_days=_days(query.get("days", "")),
            zip_code=zip_code,
            day=timezone.localdate(now),
        )
    units = service.units_of(load) if service else 1
    free = free_for_staff(units=units, now=now, count=OFFERED)
    return {
        "price": str(price) if price else "to be agreed",
        "note": "" if is_served else f"{zip_code} is outside the service area.",
        "windows": [{"id": one.pk, "label": _label(one)} for one in free],
    }


def _label(window: ServiceWindow) -> str:
    left = window.units - window.taken
    return f"{interval_text(window.start, window.end)} ({left} left)"


def _service(text: str) -> ServiceType | None:
    is_key = text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - a key's digits
    return ServiceType.objects.filter(pk=text, active=True).first() if is_key else None


def _days(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_RENTAL_DAYS))
    return int(text) if is_number else None


def _zip(text: str) -> str:
    try:
        return parse_zip(text)
    except ValueRefused:
        return ""
