"""The second strength of access: a link that was opened with the last digits of the phone.

The link alone shows what its public document shows. The last four digits of the customer's phone
open the rest for OPEN_SECONDS, in this browser: with a cookie that is signed for the link and the
phone, and names neither. It ends with the link, and when the phone changes.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from dispatch.models import Job
from dispatch.photos.serving import photo_url
from tracking.links import find_link
from tracking.models import TrackingLink
from tracking.origins import is_own_page
from tracking.private_pages import inactive_page, private
from tracking.unsent import is_action, typed

OPEN_SECONDS = 30 * 60
DIGITS = 4
SEE_OTHER, FORBIDDEN = 303, 403
_OPEN = "open"


def unlocked(request: HttpRequest, link: TrackingLink) -> bool:
    """Whether this browser has opened this link with the last four digits within 30 minutes."""
    value = request.COOKIES.get(_cookie_name(link), "")
    if not value or not can_be_unlocked(link):
        return False
    try:
        return _signer(link).unsign(value, max_age=OPEN_SECONDS) == _OPEN
    except BadSignature:
        return False


def can_be_unlocked(link: TrackingLink) -> bool:
    """Whether the link can be opened at all: a receipt shows no more than it shows."""
    return link.is_active and not link.is_receipt


def unlock(response: HttpResponse, link: TrackingLink) -> None:
    """Let the browser that gets this response see and change the link's job for 30 minutes."""
    response.set_cookie(
        _cookie_name(link),
        _signer(link).sign(_OPEN),
        max_age=OPEN_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def lock(response: HttpResponse, link: TrackingLink) -> None:
    """Take the access back from the browser that gets this response."""
    response.delete_cookie(_cookie_name(link), samesite="Lax")


def unlock_url(link: TrackingLink, *, then: str = "") -> str:
    """Return the path that asks for the digits. `then` is the part after `/t/<token>/`."""
    url = reverse("tracking:unlock", kwargs={"token": link.token})
    return f"{url}?{urlencode({'next': then})}" if then else url


def unlocked_link(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Call view(request, link, ...) if this browser has unlocked the active link of a token.

    Otherwise answer as to an unknown link, or lead to the page that asks for the digits.
    """

    @private
    @wraps(view)
    def wrapped(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponse:
        link = find_link(token)
        if link is None:
            return inactive_page(request)
        if not unlocked(request, link):
            page = request.path_info.split("/", 3)[3]  # after /t/<token>/
            if is_action(request) and is_own_page(request):
                return _ask_again(request, link, page)
            response = HttpResponseRedirect(unlock_url(link, then=page))
            response.status_code = SEE_OTHER
            return response
        return view(request, link, *args, **kwargs)

    return wrapped


def _ask_again(request: HttpRequest, link: TrackingLink, page: str) -> HttpResponse:
    """Ask for the digits and keep what was typed: the half hour has ended."""
    context = {
        "kept": typed(request),
        "path": unlock_url(link, then=page),
        "page": reverse("tracking:job", kwargs={"token": link.token}),
    }
    with translation.override(link.job.language):
        return render(request, "tracking/unlock.html", context, status=FORBIDDEN)


def private_context(link: TrackingLink) -> dict[str, Any]:
    """Return what only an unlocked page shows of a job."""
    job = link.job
    return {
        "name": job.contact_name,
        "phone": job.customer.phone,
        "email": job.contact_email,
        "street": job.address_line,
        "unit": job.unit,
        "town": f"{job.town}, {job.zip_code}",
        "details": job.details,
        "photos": [
            {"large": photo_url(photo.large), "small": photo_url(photo.small)}
            for photo in job.photos.all()
        ],
        "lock": reverse("tracking:lock", kwargs={"token": link.token}),
    }


def may_see_photos(request: HttpRequest, job: Job) -> bool:
    """Whether this browser has unlocked the job's link. One of PHOTO_VIEWERS."""
    links = TrackingLink.objects.active().filter(job=job).select_related("job__customer")
    link = links.first()
    return link is not None and unlocked(request, link)


def phone_of(link: TrackingLink) -> str:
    """Return the phone of the job's customer in E.164; "" if we do not know it."""
    phone = link.job.customer.phone
    return str(phone.as_e164) if phone else ""


def _cookie_name(link: TrackingLink) -> str:
    return f"link_{link.token_sha256[:16]}"


def _signer(link: TrackingLink) -> TimestampSigner:
    return TimestampSigner(salt=f"tracking.access:{link.token_sha256}:{phone_of(link)}")
