"""The booking form's answers. The form's page is static; these are what the application adds.

No answer with the form is `no-store`: with it, the Back button leads to an error instead of to what
was typed.
"""

from datetime import datetime
from math import ceil
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatch.booking import book
from dispatch.booking_limits import count_interest
from dispatch.catalogue.area import note_interest
from dispatch.catalogue.pricing import PriceChanged
from dispatch.errors import ValueRefused
from dispatch.forms import WHAT, BookingForm
from dispatch.interest_form import InterestForm
from dispatch.limits import LimitReached
from dispatch.models import BookingSettings
from dispatch.photos.storing import add_booked_photos
from dispatch.prices import ParsedPrice
from dispatch.times import clock_text, day_text
from dispatch.windows.capacity import WindowFull
from edge.viewer_address import viewer_address
from tracking.languages import in_their_language
from tracking.models import TrackingLink
from tracking.origins import is_own_page
from tracking.private_pages import inactive_page

# The button that asks for times and price only.
TIMES = "times"
OK, REFUSED, INVALID, TOO_MANY_REQUESTS = 200, 403, 422, 429
SEND_AGAIN = gettext_lazy("Check your details, then press Send again.")
CHOOSE_TIME = gettext_lazy("Choose a time and check the price, then send your request.")
CHECK_PRICE = gettext_lazy("The price is now %(price)s. Check it, then send your request.")
NO_PRICE = gettext_lazy(
    "This has no fixed price: we agree on one with you. Check your request, then send it."
)
TOO_MANY = gettext_lazy(
    "We already have several requests from this phone number or internet connection, so this one "
    "is not booked yet. You can send it %(day)s after %(time)s."
)
SEVERAL_ALREADY = gettext_lazy(
    "We already have several requests from your internet connection. Call us instead."
)
UNSAVED = gettext_lazy(
    "Your request was not saved, and nothing was booked. Everything you typed is still here: "
    "press Send again in a minute. It will be booked only once."
)
PHOTOS_AGAIN = gettext_lazy("Choose your photos again: browsers do not keep them.")


@in_their_language
@csrf_exempt  # tracking.origins checks instead: the form's page is a static file
@require_http_methods(["GET", "HEAD", "POST"])
def book_request(request: HttpRequest) -> HttpResponse:
    """Book a job on POST; otherwise show the form with a new key.

    A POST without a window while some are free, without a key, or with another price than today's
    gets the form as its second step: with everything typed, the free windows and the price.
    """
    if request.method != "POST":
        return _form_page(request, BookingForm(initial={"form_key": uuid4()}))
    if not is_own_page(request):
        return render(request, "tracking/refused.html", status=REFUSED)
    form = BookingForm(request.POST, request.FILES)
    if form.looks_like_spam:
        return _form_page(request, _without_honeypot(request), notice=SEND_AGAIN)
    if form.is_complete and request.POST.get("step") != TIMES:
        return _book(request, form)
    return _ask_again(request, form.with_fresh_key() if form.has_error("form_key") else form)


@in_their_language
@csrf_exempt  # as above
@require_http_methods(["GET", "HEAD", "POST"])
def area_request(request: HttpRequest) -> HttpResponse:
    """Remember a visitor from outside the service area on POST; otherwise show that form."""
    if request.method != "POST":
        return _area_page(request, InterestForm())
    if not is_own_page(request):
        return render(request, "tracking/refused.html", status=REFUSED)
    form = InterestForm(request.POST)
    if not form.is_valid():
        return _area_page(request, form, status=INVALID)
    values = form.cleaned_data
    if values["website"]:
        return _area_page(request, form, noted=True)
    try:
        count_interest(address=_address_of(request))
    except LimitReached:
        form.add_error("email", SEVERAL_ALREADY)
        return _area_page(request, form, status=TOO_MANY_REQUESTS)
    note_interest(values["zip_code"], values["email"])
    return _area_page(request, form, noted=True)


@in_their_language
def unsaved_booking(request: HttpRequest, *, status: int) -> HttpResponse:
    """Return the posted form as typed, to be sent again after a failure. Needs no database."""
    form = BookingForm(request.POST).without_database()
    if form.looks_like_spam or form.has_error("form_key"):
        form = _without_honeypot(request).without_database()
    return _form_page(request, form, notice=UNSAVED, call=True, status=status)


def _ask_again(request: HttpRequest, form: BookingForm) -> HttpResponse:
    """Show a form that is not booked yet, with what its next sending needs."""
    if request.POST.get("step") == TIMES:
        form.keep_errors_of(*WHAT)
        return _form_page(request, form, status=INVALID if form.errors else OK)
    if not form.is_valid():
        return _form_page(request, form, status=INVALID)
    if form.lacks_window:
        return _form_page(request, form, notice=CHOOSE_TIME)
    # If only the key was missing, sending the form again books the job.
    return _form_page(request, form, notice=_price_notice(form) or SEND_AGAIN)


def _price_notice(form: BookingForm) -> str:
    return _todays_price(form.offer.price) if form.price_differs and form.offer else ""


def _todays_price(price: ParsedPrice | None) -> str:
    return str(CHECK_PRICE) % {"price": price.shown} if price else str(NO_PRICE)


def _book(request: HttpRequest, form: BookingForm) -> HttpResponse:
    booking = form.to_request(remote_address=_address_of(request))
    key = form.cleaned_data["form_key"]
    try:
        booked = book(request=booking, form_key=key, limited=True)
    except ValueRefused as error:
        return _form_page(request, form, notice=str(error), status=INVALID)
    except WindowFull as error:
        form.refuse_windows(error.alternatives)
        return _form_page(request, form, status=INVALID)
    except PriceChanged as error:
        return _form_page(request, form, notice=_todays_price(error.price), status=INVALID)
    except LimitReached as refusal:
        return _too_many(request, form, refusal.free_at)
    # Created with the job. It may have been revoked before the form was sent again.
    link = TrackingLink.objects.active().filter(job=booked.job).first()
    add_booked_photos(job=booked.job, photos=form.cleaned_data["photos"])
    if link is None or not link.token:
        return inactive_page(request)
    response = HttpResponseRedirect(reverse("tracking:job", kwargs={"token": link.token}))
    response.status_code = 303  # See Other: the browser follows with GET
    response["Referrer-Policy"] = "no-referrer"
    return response


def _address_of(request: HttpRequest) -> str:
    return viewer_address(request.META, trusted_proxies=settings.TRUSTED_PROXIES)


def _too_many(request: HttpRequest, form: BookingForm, free_at: datetime) -> HttpResponse:
    now = timezone.now()
    notice = str(TOO_MANY) % {"day": day_text(free_at, now).lower(), "time": clock_text(free_at)}
    response = _form_page(request, form, notice=notice, call=True, status=TOO_MANY_REQUESTS)
    response["Retry-After"] = str(ceil((free_at - now).total_seconds()))
    return response


def _without_honeypot(request: HttpRequest) -> BookingForm:
    """Return the form with the honeypot emptied, in case a person's browser filled it in."""
    data = request.POST.copy()
    data["website"], data["form_key"] = "", str(uuid4())
    return BookingForm(data)


def _form_page(
    request: HttpRequest,
    form: BookingForm,
    *,
    notice: Any = "",
    call: bool = False,
    status: int = OK,
) -> HttpResponse:
    """Show the form, with a notice above it that may offer the phone."""
    problems = [field for field in form.visible_fields() if field.errors]
    context: dict[str, Any] = {"form": form, "problems": problems, "notice": notice, "call": call}
    if form.uses_database:
        context["answer_hours"] = BookingSettings.load().answer_hours
    if request.FILES:
        context["photos_again"] = PHOTOS_AGAIN
    response = render(request, "tracking/book.html", context, status=status)
    response["Cache-Control"] = "private, no-cache"
    return response


def _area_page(
    request: HttpRequest, form: InterestForm, *, noted: bool = False, status: int = OK
) -> HttpResponse:
    response = render(request, "tracking/area.html", {"form": form, "noted": noted}, status=status)
    response["Cache-Control"] = "private, no-cache"
    return response
