"""The page that asks for the last four digits of the phone, and the button that locks again.

An attempt does the same work for right and wrong digits, and for links that are active, revoked or
unknown, so neither an answer nor its time says more than the page of the link does.
"""

import re
from datetime import datetime
from math import ceil
from secrets import compare_digest

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from dispatch.limits import HOUR, Limit, LimitReached, count, hashed, of_address, take_turn
from dispatch.times import clock_text
from edge.viewer_address import viewer_address
from tracking.access import DIGITS, SEE_OTHER, can_be_unlocked, lock, phone_of, unlock, unlocked
from tracking.links import find_link, hash_token
from tracking.models import TrackingLink
from tracking.origins import is_own_page
from tracking.private_pages import inactive_page, private
from tracking.unsent import typed, unsent_page

TRIES_PER_LINK = 5
# Many households may share an address.
TRIES_PER_ADDRESS = 30
REFUSED, INVALID, TOO_MANY_REQUESTS = 403, 422, 429
# What may follow /t/<token>/ in `next`: a page of the same link, and nothing else.
_PAGE = re.compile(r"(?:[a-z0-9-]+/)*", re.ASCII)


class DigitsForm(forms.Form):
    """The last four digits; of a whole number, the last four count."""

    digits = forms.CharField(
        label=gettext_lazy("Last four digits of your phone number"),
        max_length=30,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": "digits", "size": 6}
        ),
        error_messages={"required": gettext_lazy("Enter four digits, like 0142.")},
    )

    def clean_digits(self) -> str:
        digits = "".join(re.findall(r"[0-9]", self.cleaned_data["digits"]))
        if len(digits) < DIGITS:
            raise forms.ValidationError(_("Enter four digits, like 0142."))
        return digits[-DIGITS:]


@csrf_exempt  # tracking.origins checks instead: the cookie would say that a page was opened
@private
@require_http_methods(["GET", "HEAD", "POST"])
def unlock_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the digits; on POST open the link in this browser if they are right."""
    if request.method == "POST" and not is_own_page(request):
        return render(request, "tracking/refused_post.html", status=REFUSED)
    form = DigitsForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _try(request, token, form)
    link = find_link(token)
    if link is None:
        return inactive_page(request)
    if not can_be_unlocked(link) or unlocked(request, link):
        return _to_page(request, link)
    return _form_page(request, link, form, status=INVALID if form.errors else 200)


@csrf_exempt  # as above
@private
@require_POST
def lock_again(request: HttpRequest, token: str) -> HttpResponse:
    """Take this browser's access back."""
    if not is_own_page(request):
        return render(request, "tracking/refused_post.html", status=REFUSED)
    link = find_link(token)
    if link is None:
        return inactive_page(request)
    response = _to_page(request, link)
    lock(response, link)
    return response


@transaction.atomic
def _try(request: HttpRequest, token: str, form: DigitsForm) -> HttpResponse:
    """Count a try and answer it. The same queries for all links and digits."""
    take_turn()
    link = find_link(token)
    try:
        count(_limits(request, token))
    except LimitReached as refusal:
        return _too_many(request, link, form, refusal.free_at) if link else inactive_page(request)
    phone = phone_of(link) if link and can_be_unlocked(link) else ""
    is_right = compare_digest(form.cleaned_data["digits"], phone[-DIGITS:] or "none")
    if link is None:
        return inactive_page(request)
    if is_right:
        response = _unsent(request, link) if typed(request) else _to_page(request, link)
        unlock(response, link)
        return response
    with translation.override(link.job.language):
        form.add_error("digits", _("These are not the last four digits of the phone on this job."))
    return _form_page(request, link, form, status=INVALID)


def _limits(request: HttpRequest, token: str) -> list[Limit]:
    limits = [Limit(hashed("unlock", hash_token(token)), TRIES_PER_LINK, HOUR)]
    address = viewer_address(request.META, trusted_proxies=settings.TRUSTED_PROXIES)
    if address:
        limits.append(Limit(of_address("unlock address", address), TRIES_PER_ADDRESS, HOUR))
    return limits


def _too_many(
    request: HttpRequest, link: TrackingLink, form: DigitsForm, free_at: datetime
) -> HttpResponse:
    with translation.override(link.job.language):
        text = _("That was tried too often. Try again after %(time)s, or call us.")
        form.add_error("digits", text % {"time": clock_text(free_at)})
    response = _form_page(request, link, form, status=TOO_MANY_REQUESTS)
    response["Retry-After"] = str(ceil((free_at - timezone.now()).total_seconds()))
    return response


def _form_page(
    request: HttpRequest, link: TrackingLink, form: DigitsForm, *, status: int
) -> HttpResponse:
    page = reverse("tracking:job", args=[link.token])
    context = {"form": form, "page": page, "kept": typed(request)}
    with translation.override(link.job.language):
        return render(request, "tracking/unlock.html", context, status=status)


def _to_page(request: HttpRequest, link: TrackingLink) -> HttpResponse:
    """Lead to the page of the link that asked for the digits, or to its first one."""
    url = reverse("tracking:job", args=[link.token]) + (_next(request) or "#private")
    response = HttpResponseRedirect(url)
    response.status_code = SEE_OTHER
    return response


def _unsent(request: HttpRequest, link: TrackingLink) -> HttpResponse:
    """Show what was typed before the digits were asked for, to be sent now."""
    path = reverse("tracking:job", args=[link.token]) + _next(request)
    with translation.override(link.job.language):
        return unsent_page(request, path=path)


def _next(request: HttpRequest) -> str:
    """Return the page of the link that asked for the digits, or ""."""
    page = request.GET.get("next", "")
    return page if _PAGE.fullmatch(page) else ""
